"""Sellers who have said who they are for taxes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from dac7.dossiers import EntityType
from dac7.models import SalesCursor
from dac7.profile_rules import GivenTin, ProfileDetails
from dac7.queries.profiles import ProfileFacts
from dac7.services import rechecking, watching
from dac7.services.profiling import give_tax_profile
from tests.factories.money import NOON

# A personal code of somebody born on 17 May 1990.
LT_TIN = "49005170014"
LT_VAT = "LT119511515"
BORN = date(1990, 5, 17)


def person(**changes: Any) -> ProfileDetails:
    """Ona, who lives in Vilnius."""
    known: dict[str, Any] = {
        "first_name": "Ona",
        "last_name": "Kazlauskienė",
        "birth_date": BORN,
        "street": "Gedimino pr. 1",
        "postal_code": "LT-01103",
        "city": "Vilnius",
        "country": "LT",
        "tins": (GivenTin("LT", LT_TIN),),
    }
    return ProfileDetails(entity_type=EntityType.INDIVIDUAL, **(known | changes))


def company(**changes: Any) -> ProfileDetails:
    """A shop in Vilnius."""
    known: dict[str, Any] = {
        "legal_name": "Antra Oda UAB",
        "registration_number": "302767152",
        "street": "Švitrigailos g. 13",
        "postal_code": "03228",
        "city": "Vilnius",
        "country": "LT",
        "tins": (GivenTin("LT", "302767152"),),
    }
    return ProfileDetails(entity_type=EntityType.ENTITY, **(known | changes))


def give_profile(
    member_id: str, details: ProfileDetails | None = None, *, version: int | None = None, now: datetime = NOON
) -> ProfileFacts:
    """The seller gives the profile, or changes `version` of it."""
    return give_tax_profile(
        member_id=member_id, details=details or person(), expected_version=version, now=now
    )


def read_so_far(now: datetime) -> None:
    """As where Preloved has run for a while: a new installation reads each day since January, for seconds."""
    for reader in (watching.READER, watching.OFFERS_READER, rechecking.READER):
        SalesCursor.objects.create(name=reader, read_until=now - timedelta(days=1))
