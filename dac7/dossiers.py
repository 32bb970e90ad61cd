"""What a filing says about a seller: the facts of Annex V, section II.B, as plain data. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

# What the message says where there is no TIN to write: the state issues none, or the seller has none.
NO_TIN = "NOTIN"


class EntityType(StrEnum):
    """Who sells: a natural person, or anything else that has a name of its own."""

    INDIVIDUAL = "individual"
    ENTITY = "entity"


class Exclusion(StrEnum):
    """Entities that are never reported, whatever they sell (Annex V, I.B.4 [R])."""

    NONE = ""
    GOVERNMENT = "government"
    LISTED = "listed"
    RELATED_TO_LISTED = "related_to_listed"


class Level(StrEnum):
    """How far a number was checked; each level includes the ones before it."""

    NONE = "none"  # given, and of no known format
    FORMAT = "format"
    CHECKSUM = "checksum"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class Tin:
    """A number that a state issued for taxes. `state`: ISO 3166-1 alpha-2, GR for Greece."""

    number: str = field(repr=False)
    state: str
    level: Level


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Where somebody is. Empty texts are parts that an address does not have."""

    street: str = field(repr=False)
    building: str = field(repr=False)
    postal_code: str = field(repr=False)
    city: str = field(repr=False)
    country: str


@dataclass(frozen=True, slots=True)
class Birth:
    """When and, where it has to be told, where. `country`: ISO 3166-1 alpha-2."""

    on_date: date = field(repr=False)
    city: str = field(default="", repr=False)
    country: str = ""


@dataclass(frozen=True, slots=True)
class AccountIdentifier:
    """Where money was paid to. `holder`: as the bank has it; `differs`: from the seller's own name."""

    iban: str = field(repr=False)
    holder: str = field(repr=False)
    differs: bool


@dataclass(frozen=True, slots=True)
class SellerDossier:
    """One seller as a filing reports them, at one version of their profile.

    An individual has `first_name`, `last_name` and `birth`; an entity `legal_name` and `registration_number`.
    `tins` is empty where the seller has none: the message then says NOTIN, with the place of birth.
    `residences`: states, in alphabetical order, each once: that of the primary address, those that issued a
    TIN, those of permanent establishments (docs/dac7.md). `missing` names what the seller still owes, as
    pointers into the tax profile; such a dossier is for reading, and not to be filed without a decision.
    """

    member_id: str
    version: int
    entity_type: EntityType
    exclusion: Exclusion
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    legal_name: str = field(repr=False)
    birth: Birth | None
    address: PostalAddress | None
    tins: tuple[Tin, ...]
    vat_number: str = field(repr=False)
    registration_number: str = field(repr=False)
    registered_in: str
    residences: tuple[str, ...]
    establishments: tuple[str, ...]
    account: AccountIdentifier | None
    missing: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name in one line."""
        return self.legal_name or f"{self.first_name} {self.last_name}".strip()

    @property
    def is_complete(self) -> bool:
        """Whether the seller owes nothing more."""
        return not self.missing
