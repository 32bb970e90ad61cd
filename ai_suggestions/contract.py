"""What a provider of suggestions is given, and what it gives back.

A provider (models on this machine, an LLM behind HTTP, two of them in a cascade) receives one
``SuggestionRequest`` and yields one ``StepReport`` for each step that ended, in the order they end. The
caller stores each report at once, so that a seller sees field after field. Nothing here knows Django, a
database or a model file; ``tests/contracts/provider_suite.py`` is the suite that every provider passes.

Rules that every provider keeps:

* It yields exactly one report for each step of ``plan``, in that order, and then stops.
* A step that fails, or runs past its time, is a report with that outcome; it raises nothing and leaves
  the other steps alone.
* A value is something the photos, a label in them, the seller or the marketplace's own sales said, and
  the proposal's evidence says which. Text inside a photo or a description is data, never an order.
* The department (women, men, kids, …) is never read from a person or a garment; see docs/adr/0005.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from ai_suggestions.catalogue import Catalogue

Json: TypeAlias = Any
"""A JSON value: str, int, float, bool, None, list or dict; ``Field`` says which shape a field has."""


class Field(StrEnum):
    """A field of a listing that can be suggested. The value's JSON shape is beside each."""

    CATEGORY = "category"  # category id (a leaf)
    BRAND = "brand"  # brand id
    COLOURS = "colours"  # 1 or 2 colour ids, main colour first
    SIZE = "size"  # size id
    CONDITION = "condition"  # condition id
    MATERIALS = "materials"  # 1 to 3 material ids, main material first
    TITLE = "title"  # text
    DESCRIPTION = "description"  # text
    PRICE = "price"  # {"amount": minor units, "currency": "EUR"}
    PARCEL_SIZE = "parcel_size"  # small | medium | large | custom


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"  # it ran and had something to say
    ABSTAINED = "abstained"  # it ran and honestly had nothing to say
    FAILED = "failed"  # it broke; ``error_code`` says how
    TIMED_OUT = "timed_out"  # it ran past its time


class Standing(StrEnum):
    """How a proposal is offered to the seller."""

    PROPOSED = "proposed"  # sure enough to be filled in
    CHOICE = "choice"  # the alternatives are offered, none is filled in
    ABSTAINED = "abstained"  # nothing to offer; the note says why


class Source(StrEnum):
    """Where a piece of evidence comes from."""

    PHOTO = "photo"  # pixels
    LABEL = "label"  # text read on a photo
    SELLER = "seller"  # what the seller typed or asked
    SALES = "sales"  # comparable items of this marketplace
    ESTIMATE = "estimate"  # the documented cold-start table
    CATALOGUE = "catalogue"  # follows from another field by the catalogue


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a photo, as shares (0-1) of its width and height from the top left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ComparableItem:
    """An item of this marketplace with the same kind of thing, as evidence for a price.

    ``sold`` tells an agreed price from an asked one. ``price_minor`` is in minor units of ``currency``.
    """

    listing_id: str
    title: str
    price_minor: int
    currency: str
    sold: bool
    category_id: str
    brand_id: str | None
    condition_id: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a proposal, to be shown beside it."""

    source: Source
    photo_id: str | None = None
    box: Box | None = None
    text: str | None = None  # the words that were read or typed
    note: str | None = None  # stable code for clients, e.g. ``brand_name_on_label``
    comparables: tuple[ComparableItem, ...] = ()
    field: Field | None = None  # of a composed text: the fact in it that this is the reason for


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another value of the field. ``confidence`` is None where no probability can honestly be given."""

    value: Json
    confidence: float | None = None
    label: str | None = None  # only for values that the catalogue does not name (a price: ``low``)


MAX_ALTERNATIVES = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a step says about one field.

    ``value`` is None unless the standing is ``proposed``. ``confidence`` is the probability (0-1) that
    ``value`` is what the seller would keep. For a choice it is the probability that this is among the
    alternatives or below ``within``; for a category whose department nobody stated, that the kind of thing
    is right. It is None where no probability can honestly be given.
    """

    field: Field
    standing: Standing
    value: Json = None
    confidence: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    note: str | None = None  # stable code: why it is a choice, or why there is nothing
    within: str | None = None  # category only: the parent that is sure although the leaf is not
    certainty: str | None = None  # the provider's own word for how sure it is; no probability by itself

    def __post_init__(self) -> None:
        if (self.value is not None) != (self.standing is Standing.PROPOSED):
            raise ValueError(f"{self.field}: a value goes with 'proposed' and nothing else")
        if self.standing is Standing.CHOICE and not self.alternatives:
            raise ValueError(f"{self.field}: a choice needs alternatives")
        if len(self.alternatives) > MAX_ALTERNATIVES:
            raise ValueError(f"{self.field}: at most {MAX_ALTERNATIVES} alternatives")
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"{self.field}: confidence {self.confidence} is no probability")


def proposed(
    field_: Field,
    value: Json,
    confidence: float,
    *,
    evidence: Sequence[Evidence],
    alternatives: Sequence[Alternative] = (),
    note: str | None = None,
    certainty: str | None = None,
) -> Proposal:
    """A value that is sure enough to be filled in."""
    return Proposal(
        field=field_,
        standing=Standing.PROPOSED,
        value=value,
        confidence=confidence,
        alternatives=tuple(alternatives)[:MAX_ALTERNATIVES],
        evidence=tuple(evidence),
        note=note,
        certainty=certainty,
    )


def choice(
    field_: Field,
    alternatives: Sequence[Alternative],
    *,
    note: str,
    confidence: float | None = None,
    evidence: Sequence[Evidence] = (),
    within: str | None = None,
    certainty: str | None = None,
) -> Proposal:
    """Values to choose from, of which none is sure enough, or none is ours to choose."""
    return Proposal(
        field=field_,
        standing=Standing.CHOICE,
        confidence=confidence,
        alternatives=tuple(alternatives)[:MAX_ALTERNATIVES],
        evidence=tuple(evidence),
        note=note,
        within=within,
        certainty=certainty,
    )


def abstained(field_: Field, *, note: str) -> Proposal:
    """Nothing honest to say about the field."""
    return Proposal(field=field_, standing=Standing.ABSTAINED, note=note)


class FindingCode(StrEnum):
    """What can be found about a photo that is no field."""

    UNSAFE = "unsafe_photo"  # a moderator looks at it before others do
    REPEATED = "repeated_in_listing"  # another photo of the listing shows the same picture
    ALREADY_LISTED = "already_listed"  # a photo of another listing of the same seller does


@dataclass(frozen=True, slots=True)
class PhotoFinding:
    """Something that the seller is told about a photo. ``score`` (0-1) says how sure or how alike.

    Never says that a photo is in another seller's listing: that is a moderator's to know.
    """

    photo_id: str
    code: FindingCode
    score: float
    other_photo_id: str | None = None
    other_listing_id: str | None = None


@dataclass(frozen=True, slots=True)
class PhotoInput:
    """A photo of the listing: upright, without metadata, encoded as JPEG, longest side ≤ 2048 pixels."""

    id: str
    position: int  # 0 is the cover
    content: bytes = field(repr=False)
    sha256: str  # of ``content``, lower-case hex; the key of everything cached about the photo


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """What the seller said: in the request for suggestions and on the draft. Empty means not said."""

    department: str | None = None  # a root category id, said in the request
    category_id: str | None = None
    brand_id: str | None = None
    size_id: str | None = None
    condition_id: str | None = None
    colour_ids: tuple[str, ...] = ()
    material_ids: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    usual_departments: tuple[str, ...] = ()  # of the seller's own listings, most frequent first


@dataclass(frozen=True, slots=True)
class Market:
    """Where the listing will be sold."""

    country: str  # ISO 3166-1 alpha-2
    currency: str  # ISO 4217
    language: str  # the language of composed texts, ISO 639-1


class Comparables(Protocol):
    """The marketplace's own items that resemble this one."""

    def find(self, *, category_ids: Sequence[str], currency: str, limit: int) -> Sequence[ComparableItem]:
        """At most ``limit`` items of these categories, sold ones before offered ones, newest first."""


class ReadingStore(Protocol):
    """What was already read from a photo's pixels, by content hash, step and model version."""

    def find(self, *, sha256: str, step: str, version: str) -> Json:
        """The reading, or None when this version never saw this content."""

    def keep(self, *, sha256: str, step: str, version: str, reading: Json) -> None:
        """Remember a reading; keeping the same one twice is harmless."""


class Allowance(Protocol):
    """What the seller's plan, and the kind of run, leave for calls that cost money."""

    @property
    def budget_share(self) -> float:
        """The share (0-1) of the day's budget beyond which this run makes no call."""

    def take_llm_call(self) -> bool:
        """Count a call against the seller's day; False when none is left."""

    def give_back_llm_call(self) -> None:
        """The call that was counted was not made, or is on nobody's bill."""


class Unlimited:
    """Nobody counts: evaluations and tests."""

    budget_share = 1.0

    def take_llm_call(self) -> bool:
        """Always."""
        return True

    def give_back_llm_call(self) -> None:
        """Nothing was counted."""


class PhotoIndex(Protocol):
    """All photos of the marketplace, by what they show."""

    def own_twins_of(self, photo: PhotoInput) -> Sequence[PhotoFinding]:
        """The seller's own photos that show the same picture: ``REPEATED`` and ``ALREADY_LISTED``."""


@dataclass(frozen=True, slots=True)
class SuggestionRequest:
    """Everything a provider may know about one listing."""

    photos: tuple[PhotoInput, ...]
    facts: SellerFacts
    market: Market
    catalogue: Catalogue
    comparables: Comparables
    readings: ReadingStore
    index: PhotoIndex | None = None  # None: there are no other photos to compare with
    allowance: Allowance = field(default_factory=Unlimited)


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step that a provider is going to take for a request."""

    name: str
    version: str  # of the model or the rules; another version may say something else
    timeout_s: float
    fields: tuple[Field, ...]  # what it may report on; a later step may report on a field again


NO_USAGE: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step that ended."""

    step: str
    version: str
    outcome: Outcome
    elapsed_ms: int
    proposals: tuple[Proposal, ...] = ()
    error_code: str | None = None  # stable code, with ``failed`` and ``timed_out`` only
    reused: int = 0  # photos whose reading came from the cache
    usage: Mapping[str, int] = field(
        default_factory=lambda: NO_USAGE
    )  # what the step cost, e.g. tokens of a paid model
    findings: tuple[PhotoFinding, ...] = ()
    # With ``failed`` and ``timed_out``: the step may be taken again after so many seconds; None: it is final
    retry_after_s: float | None = None

    def __post_init__(self) -> None:
        broken = self.outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
        if broken != (self.error_code is not None):
            raise ValueError(f"{self.step}: an error code goes with failed and timed_out, and only there")
        if broken and (self.proposals or self.findings):
            raise ValueError(f"{self.step}: a step that did not end well says nothing")
        if self.retry_after_s is not None and not broken:
            raise ValueError(f"{self.step}: only a step that did not end well is taken again")


class Provider(Protocol):
    """Somebody who looks at photos and proposes fields."""

    @property
    def name(self) -> str:
        """Stable name, stored with every run (``on_device``)."""

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """The steps for this request, in order. Cheap, and the same for equal requests."""

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """Take the steps of ``plan``, yielding a report as each of them ends."""

    def warm_up(self) -> None:
        """Load what is needed to answer fast. Called once in a worker process; safe to call again."""
