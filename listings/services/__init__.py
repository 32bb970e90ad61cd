"""Verbs of listings. Keyword-only, typed, ids and `now` in, frozen dataclasses out; one transaction each.

Other apps import from here.
"""

from __future__ import annotations

from listings.changes import NO_CHANGE, UNSET, ListingChange
from listings.photos.checking import Flag
from listings.services.catalogue import load_catalogue
from listings.services.cleaning import clean_photo
from listings.services.deadlines import act_on_deadline, sweep_deadlines
from listings.services.developing import photos_to_ring, process_photo, remove_orphans, withdraw_photos
from listings.services.drafting import create_draft, duplicate, edit_draft
from listings.services.flagging import approve_photo, flag_photo, reject_photo
from listings.services.moderating import REASONS, remove, restore, suspend
from listings.services.photos import add_photo, remove_photo, replace_photo
from listings.services.selling import delete, hide, publish, release, relist, reserve, unhide
from listings.services.trading import SaleFacts, lock_for_sale, mark_sold, may_sell, put_back

__all__ = [
    "NO_CHANGE",
    "REASONS",
    "UNSET",
    "Flag",
    "ListingChange",
    "SaleFacts",
    "act_on_deadline",
    "add_photo",
    "approve_photo",
    "clean_photo",
    "create_draft",
    "delete",
    "duplicate",
    "edit_draft",
    "flag_photo",
    "hide",
    "load_catalogue",
    "lock_for_sale",
    "mark_sold",
    "may_sell",
    "photos_to_ring",
    "process_photo",
    "publish",
    "put_back",
    "reject_photo",
    "release",
    "relist",
    "remove",
    "remove_orphans",
    "remove_photo",
    "replace_photo",
    "reserve",
    "restore",
    "suspend",
    "sweep_deadlines",
    "unhide",
    "withdraw_photos",
]
