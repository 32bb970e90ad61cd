"""Let a provider look at labelled photos, one listing each, and take down what it says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from ai_suggestions.catalogue import Catalogue
from ai_suggestions.contract import (
    ComparableItem,
    Field,
    Json,
    Market,
    PhotoInput,
    Proposal,
    Provider,
    SellerFacts,
    StepReport,
    SuggestionRequest,
)
from ai_suggestions.evaluation.labelled import LabelledPhoto
from ai_suggestions.evaluation.ranking import KindsTold, colours_told, kinds_told, sizes_told
from listings.photos.processing import Unprocessable, process

logger = structlog.get_logger(__name__)

MARKET = Market(country="LT", currency="EUR", language="en")


class PhotoReadings:
    """The readings of one photo (``contract.ReadingStore``): empty at first, so nothing is reused."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Json] = {}

    def find(self, *, sha256: str, step: str, version: str) -> Json:
        """What was kept, or None."""
        return self._kept.get((sha256, step, version))

    def keep(self, *, sha256: str, step: str, version: str, reading: Json) -> None:
        """Keep a reading."""
        self._kept[(sha256, step, version)] = reading

    @property
    def kinds_seen(self) -> list[tuple[str, float]]:
        """The ranking of kinds that a reading ``{"ranked": [[kind, probability], …]}`` holds; else empty."""
        for reading in self._kept.values():
            if isinstance(reading, dict) and isinstance(reading.get("ranked"), list):
                return [(str(kind), float(probability)) for kind, probability in reading["ranked"]]
        return []


class NoSales:
    """A marketplace that has sold nothing yet (``contract.Comparables``)."""

    def find(self, *, category_ids: Sequence[str], currency: str, limit: int) -> Sequence[ComparableItem]:
        """Nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step that ended; ``error_code`` is None when it ended well."""

    name: str
    version: str
    elapsed_ms: float
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """How sure a provider said it is of a field: as a probability, or in its own word."""

    confidence: float | None
    certainty: str | None
    step_version: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a provider said about one photo.

    ``answered`` is False when the steps that could have named a category or a colour broke. ``elapsed_ms``
    is wall time from the request to the last step; decoding and encoding the file before is not in it.
    """

    photo: LabelledPhoto
    kinds: KindsTold
    colours: tuple[str, ...]
    sizes: tuple[str, ...]
    size_words: tuple[str, ...]
    steps: tuple[StepTaken, ...]
    elapsed_ms: float
    claims: Mapping[Field, Claim] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether it said anything, be it that it recognises nothing."""
        return bool(self.kinds.ranked or self.colours)

    @property
    def error_code(self) -> str | None:
        """Of the first step that broke."""
        return next((step.error_code for step in self.steps if step.error_code), None)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that no photo can be made of; ``reason`` is what a seller would be told."""

    photo: LabelledPhoto
    reason: str


def look_at_each(
    photos: Sequence[LabelledPhoto], *, provider: Provider, catalogue: Catalogue
) -> Iterator[Look | Unreadable]:
    """What the provider says about each photo, in order. Whatever it raises is that photo's failure.

    A file is processed as an upload is (``listings.photos``), so the provider sees the pixels that it would
    see in service. Nobody states a department, a title or anything else.
    """
    for photo in photos:
        try:
            processed = process(photo.path.read_bytes())
        except Unprocessable as problem:
            yield Unreadable(photo, problem.code)
            continue
        except OSError:
            yield Unreadable(photo, "file cannot be read")
            continue
        yield _look(photo, processed.master, processed.sha256, provider, catalogue)


def _look(
    photo: LabelledPhoto, content: bytes, sha256: str, provider: Provider, catalogue: Catalogue
) -> Look:
    readings = PhotoReadings()
    request = SuggestionRequest(
        photos=(PhotoInput(id=sha256[:26], position=0, content=content, sha256=sha256),),
        facts=SellerFacts(),
        market=MARKET,
        catalogue=catalogue,
        comparables=NoSales(),
        readings=readings,
    )
    reports: list[StepReport] = []
    steps: list[StepTaken] = []
    started = time.perf_counter()
    try:
        for report in provider.run(request):
            reports.append(report)
            steps.append(StepTaken(report.step, report.version, report.elapsed_ms, report.error_code))
    except Exception:
        # It broke its contract; the photo counts as not answered, and the others are looked at.
        logger.exception("evaluated_provider_crashed", provider=provider.name, file=photo.file)
        steps.append(StepTaken("(crash)", "", 0.0, "provider_crashed"))
    elapsed_ms = 1000 * (time.perf_counter() - started)
    # A later report replaces what an earlier one said about a field.
    said: dict[Field, Proposal] = {p.field: p for report in reports for p in report.proposals}
    claims = {
        p.field: Claim(p.confidence, p.certainty, report.version)
        for report in reports
        for p in report.proposals
    }
    size = said.get(Field.SIZE)
    return Look(
        photo=photo,
        kinds=kinds_told(said.get(Field.CATEGORY), seen=readings.kinds_seen, catalogue=catalogue),
        colours=colours_told(said.get(Field.COLOURS)),
        sizes=sizes_told(size),
        size_words=tuple(e.text for e in size.evidence if e.text) if size is not None else (),
        steps=tuple(steps),
        elapsed_ms=elapsed_ms,
        claims=claims,
    )


def looks_of(
    photos: Sequence[LabelledPhoto],
    *,
    provider: Provider,
    catalogue: Catalogue,
    each: Callable[[int], None],
) -> tuple[list[Look], list[Unreadable]]:
    """All looks and all files that could not be read. ``each`` is told how many photos are done."""
    looks: list[Look] = []
    unreadable: list[Unreadable] = []
    for done, result in enumerate(look_at_each(photos, provider=provider, catalogue=catalogue), start=1):
        if isinstance(result, Look):
            looks.append(result)
        else:
            unreadable.append(result)
        each(done)
    return looks, unreadable
