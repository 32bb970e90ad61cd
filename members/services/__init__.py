"""The verbs of members: one transaction each, keyword-only, with ids and `now`."""

from __future__ import annotations

from members.services.accounts import (
    close_account,
    forget_expired_sessions,
    register,
    revoke_identity,
    set_plan,
    verify_identity,
)
from members.services.blocks import block_member, unblock_member
from members.services.consent import ConsentChange
from members.services.markets import load_markets
from members.services.profile import ProfileChange, change_profile, check_profile
from members.services.restrictions import lift, restrict

__all__ = [
    "ConsentChange",
    "ProfileChange",
    "block_member",
    "change_profile",
    "check_profile",
    "close_account",
    "forget_expired_sessions",
    "lift",
    "load_markets",
    "register",
    "restrict",
    "revoke_identity",
    "set_plan",
    "unblock_member",
    "verify_identity",
]
