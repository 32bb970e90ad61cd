"""What a filing says about one seller: frozen when it is compiled, the same for the file and the statement.

Plain data without the database: the figures fill it, the writer and the statements read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SellerKind(StrEnum):
    INDIVIDUAL = "individual"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class Tin:
    """A tax identification number; ``issued_by`` is the state's ISO 3166 code (GR, not EL)."""

    value: str
    issued_by: str


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """``country`` is an ISO 3166 code; only the city is sure to be there."""

    country: str
    city: str
    street: str = ""
    building: str = ""
    postcode: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class BirthPlace:
    """Needed of individuals without a TIN."""

    city: str
    country: str


@dataclass(frozen=True, slots=True)
class PaymentAccount:
    """Where the seller's money goes; ``holder_name`` only if it is somebody else's name."""

    identifier: str
    holder_name: str = ""
    kind: str = "IBAN"


@dataclass(frozen=True, slots=True)
class Quarter:
    """Whole units of the currency credited, rounded once (docs/dac7.md); ``activities`` counts contracts."""

    currency: str
    consideration: int = 0
    activities: int = 0
    fees: int = 0
    taxes: int = 0


@dataclass(frozen=True, slots=True)
class ReportedSeller:
    """One reportable seller of one year.

    ``member_ids`` are the accounts of this person, aggregated; the first one (the lowest) names the seller in
    ids of the message and never changes with the figures. Without a TIN ``tins`` is empty.
    """

    member_ids: tuple[str, ...]
    kind: SellerKind
    residences: tuple[str, ...]
    address: PostalAddress
    quarters: tuple[Quarter, Quarter, Quarter, Quarter]
    tins: tuple[Tin, ...] = ()
    vat_number: str = ""
    first_name: str = ""
    last_name: str = ""
    birth_date: date | None = None
    birth_place: BirthPlace | None = None
    legal_name: str = ""
    registration_number: str = ""
    registered_in: str = ""
    establishments: tuple[str, ...] = ()
    account: PaymentAccount | None = None

    @property
    def seller_id(self) -> str:
        """The member id that stands for the person."""
        return self.member_ids[0]

    @property
    def name(self) -> str:
        """For people."""
        return self.legal_name or f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Operator:
    """Who reports: the platform operator, as registered in the state it files in."""

    name: str
    business_name: str
    residence: str
    tin: Tin
    registration_number: str
    vat_number: str
    address: PostalAddress
    nexus: str = "RPONEX1"
