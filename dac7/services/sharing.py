"""One TIN with several members: the same person with two accounts, or somebody else's number.

Clearly the same person needs nobody; everything else waits for a person and aggregates nothing until then.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from balance.holder_names import is_same_person
from dac7.dossiers import Level
from dac7.lifecycle.profiles import CheckStatus
from dac7.models import ProfileCheck, TaxNumber, TaxProfile
from dac7.profile_rules import ProfileDetails
from dac7.queries.profiles import details_of, find_other_owners, list_shared_number_ids
from dac7.services.check_moves import open_check
from foundation.db import atomic_retry
from foundation.encryption import matching

logger = structlog.get_logger(__name__)


def name_of(details: ProfileDetails) -> str:
    """The name in one line."""
    return details.legal_name or f"{details.first_name} {details.last_name}"


def check_sharing(profile: TaxProfile, details: ProfileDetails, number: TaxNumber, now: datetime) -> bool:
    """Open a check of a number of a locked profile where others have it and are not clearly the same."""
    others = find_other_owners(number, matching(TaxNumber, "number", number.number.reveal()))
    is_sure = number.level != Level.FORMAT and all(
        _is_same_seller(details, details_of(other)) for other in others
    )
    if not others or is_sure:
        return False
    open_check(
        profile,
        ProfileCheck.Kind.SHARED_TIN,
        status=CheckStatus.PENDING,
        about=number.state,
        reason="tin_of_another_member",
        now=now,
    )
    return True


def review_shared_numbers(*, now: datetime) -> int:
    """Look again at numbers that several members have, without a check: two were given at once, or one of
    the sellers has changed the name since. How many checks were opened.
    """
    return sum(_review(number_id, now) for number_id in list_shared_number_ids())


@atomic_retry
def _review(number_id: str, now: datetime) -> bool:
    number = TaxNumber.objects.filter(id=number_id).first()
    if number is None:
        return False
    profile = TaxProfile.objects.select_for_update().get(id=number.profile_id)
    checks = ProfileCheck.objects.filter(
        profile=profile, kind=ProfileCheck.Kind.SHARED_TIN, about=number.state, is_standing=True
    )
    if checks.exists():
        return False
    is_opened = check_sharing(profile, details_of(profile), number, now)
    if is_opened:
        logger.info("shared_tin_found", profile_id=profile.id, state=number.state)
    return is_opened


def _is_same_seller(one: ProfileDetails, other: ProfileDetails) -> bool:
    return (
        one.entity_type is other.entity_type
        and one.birth_date == other.birth_date
        and is_same_person(name_of(one), name_of(other))
    )
