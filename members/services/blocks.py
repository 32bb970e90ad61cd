"""Blocking between members."""

from __future__ import annotations

import datetime as dt

import structlog

from foundation.db import atomic_retry
from members import metrics
from members.errors import BlockNotFound, CannotBlockYourself, MemberNotFound, TooManyBlocks
from members.models import Block, Member
from members.queries import MAX_BLOCKS

logger = structlog.get_logger(__name__)


@atomic_retry
def block_member(*, member_id: str, blocked_id: str, now: dt.datetime) -> bool:
    """Block somebody; True when that is new. The blocked one is not told and need not be active.

    Raises CannotBlockYourself, MemberNotFound, TooManyBlocks.
    """
    if member_id == blocked_id:
        raise CannotBlockYourself
    # The lock makes the count and the insert one step: two requests cannot both take the last place.
    if not Member.objects.select_for_update().filter(id=member_id).exists():
        raise MemberNotFound
    if not Member.objects.filter(id=blocked_id).exists():
        raise MemberNotFound
    if Block.objects.filter(blocker_id=member_id, blocked_id=blocked_id).exists():
        return False
    if Block.objects.filter(blocker_id=member_id).count() >= MAX_BLOCKS:
        raise TooManyBlocks(f"At most {MAX_BLOCKS}; unblock somebody first.")
    Block.objects.create(blocker_id=member_id, blocked_id=blocked_id, blocked_at=now)
    metrics.BLOCKS.inc()
    logger.info("member_blocked", member_id=member_id, blocked_id=blocked_id)
    return True


@atomic_retry
def unblock_member(*, member_id: str, blocked_id: str) -> None:
    """Raises BlockNotFound."""
    deleted, _ = Block.objects.filter(blocker_id=member_id, blocked_id=blocked_id).delete()
    if not deleted:
        raise BlockNotFound
    logger.info("member_unblocked", member_id=member_id, blocked_id=blocked_id)
