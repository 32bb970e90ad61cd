"""What follows from stopping a seller: nothing of theirs is on offer, and no other account takes its place.

The row of the request carries the work: each may be done again, and what is done already is left alone.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from balance.holder_names import is_same_person
from balance.queries.banking import find_identity, list_members_of_same_ibans
from dac7.lifecycle.diligence import RequestStatus
from dac7.models import ClosedAccount, InformationRequest
from dac7.queries.profiles import list_accounts_of_person
from dac7.services.diligence import close_another
from orders.services.pausing import hide_listings

logger = structlog.get_logger(__name__)

_FoundBy = ClosedAccount.FoundBy


def enforce_stops(*, now: datetime) -> int:
    """Of every seller who is stopped: hide what is on offer, close other accounts. Returns what was done.

    An account that is opened later is found once it has a TIN or a bank account, without which it can
    neither be reported nor paid.
    """
    stopped = InformationRequest.objects.filter(
        is_open=True, status__in=[RequestStatus.BARRED, RequestStatus.CLOSED]
    ).order_by("id")
    done = 0
    for request_id, member_id, status in stopped.values_list("id", "member_id", "status"):
        if status == RequestStatus.CLOSED:
            done += _close_others(request_id, member_id, now)
        closed = ClosedAccount.objects.filter(request_id=request_id, opened_at__isnull=True)
        for id_ in {member_id, *closed.values_list("member_id", flat=True)}:
            done += hide_listings(seller_id=id_, now=now)
    if done:
        logger.info("tax_stops_enforced", done=done)
    return done


def _close_others(request_id: str, member_id: str, now: datetime) -> int:
    found = dict.fromkeys(list_accounts_of_person(member_id), _FoundBy.TIN)
    for other in list_members_of_same_ibans(member_id):
        if other not in found and _is_same(member_id, other):
            found[other] = _FoundBy.BANK_ACCOUNT
    found.pop(member_id, None)
    return sum(
        close_another(request_id=request_id, member_id=other, found_by=found_by.value, now=now)
        for other, found_by in sorted(found.items())
    )


def _is_same(member_id: str, other: str) -> bool:
    """A bank account may be a family's: the name and the day of birth have to agree as well."""
    one, two = find_identity(member_id), find_identity(other)
    if one is None or two is None or one.date_of_birth != two.date_of_birth:
        return False
    return is_same_person(one.legal_name, two.legal_name)
