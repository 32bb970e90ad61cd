"""Suggestions by the models on this machine: no key, no network, nothing leaves the house."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ai_suggestions.contract import (
    Box,
    Field,
    Json,
    PhotoInput,
    Proposal,
    StepPlan,
    StepReport,
    SuggestionRequest,
)
from ai_suggestions.ondevice import colours, garments, label_facts, labels
from ai_suggestions.ondevice.views import picture_of
from ai_suggestions.pipeline import Step, StepFailed, Taken, reports_of
from ai_suggestions.readings import CareFact, ColoursSeen, KindsSeen, LabelFact
from ai_suggestions.steps import attributes, category, condition, price, wording
from ai_suggestions.steps.category import KindVerdict
from ai_suggestions.steps.department import Department, department_of
from ai_suggestions.steps.known import Known, known_from

# Per photo, on one core: 30 ms and 40 ms were measured; the rest is room for a busy machine.
SECONDS_PER_PHOTO = 1.0
SECONDS_AT_LEAST = 5.0
# Reading labels is slow, so it has a budget for the whole listing; what looks least like a thing goes first.
# Wall-clock time: a label takes about a second, and several on a machine that is busy.
LABEL_BUDGET_S = 20.0
LABEL_BUDGET_PER_PHOTO_S = 15.0
LABEL_SIDE = 1280


@dataclass
class Board:
    """What the steps of one run have found so far."""

    request: SuggestionRequest
    photo_kinds: dict[str, garments.PhotoKinds] = field(default_factory=dict)
    kinds: KindsSeen | None = None
    colours: dict[str, ColoursSeen] = field(default_factory=dict)
    labels: list[LabelFact] = field(default_factory=list)
    care: list[CareFact] = field(default_factory=list)
    proposals: dict[Field, Proposal] = field(default_factory=dict)
    _pictures: dict[str, Image.Image] = field(default_factory=dict)

    def picture(self, photo: PhotoInput) -> Image.Image:
        """The photo at working size (under 1 MB), decoded once for all steps. Raises OSError."""
        if photo.id not in self._pictures:
            self._pictures[photo.id] = picture_of(photo.content)
        return self._pictures[photo.id]

    @property
    def verdict(self) -> KindVerdict | None:
        """The kind of thing that the photos show."""
        return None if self.kinds is None else category.verdict_on(self.kinds, self.request.catalogue)

    @property
    def department(self) -> Department | None:
        """The department that somebody stated."""
        return department_of(
            facts=self.request.facts,
            kind=self.verdict.kind if self.verdict else None,
            sizes=[fact for fact in self.labels if fact.field is Field.SIZE],
            catalogue=self.request.catalogue,
        )

    @property
    def known(self) -> Known:
        """What texts and prices may rely on."""
        return known_from(
            facts=self.request.facts,
            proposals=self.proposals,
            verdict=self.verdict,
            kinds=category.kinds_in_question(self.kinds, self.request.catalogue)
            if self.kinds and self.verdict
            else (),
            labels=self.labels,
            care=self.care,
            catalogue=self.request.catalogue,
        )


class OnDeviceProvider:
    """The default provider. Cheap to make; models are loaded by ``warm_up`` or at first use."""

    name = "on_device"

    def warm_up(self) -> None:
        """Load every model (about a second, 250 MB); safe to repeat."""
        from ai_suggestions.ondevice.warming import warm_up

        warm_up()

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """The same steps for every request; only the time they are given depends on the photos."""
        return tuple(step.plan() for step in _steps(request))

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """One report for each step of ``plan``."""
        return reports_of(_steps(request), Board(request), accept=_accept)


def _accept(board: Board, proposal: Proposal) -> None:
    board.proposals[proposal.field] = proposal


def _steps(request: SuggestionRequest) -> tuple[Step[Board], ...]:
    looking = SECONDS_AT_LEAST + SECONDS_PER_PHOTO * len(request.photos)
    kinds_version = garments.kind_model().version
    return (
        Step(
            "category",
            f"{kinds_version}/{category.VERSION}",
            looking,
            (Field.CATEGORY, Field.PARCEL_SIZE),
            _look_at_kinds,
        ),
        Step("colour", colours.RULES_VERSION, looking, (Field.COLOURS,), _look_at_colours),
        Step("label_text", labels.model_version(), LABEL_BUDGET_S + SECONDS_AT_LEAST, (), _read_labels),
        Step(
            "attributes",
            attributes.VERSION,
            SECONDS_AT_LEAST,
            (
                Field.CATEGORY,
                Field.PARCEL_SIZE,
                Field.BRAND,
                Field.SIZE,
                Field.MATERIALS,
                Field.CONDITION,
            ),
            _name_attributes,
        ),
        Step("price", price.VERSION, SECONDS_AT_LEAST, (Field.PRICE,), _estimate_price),
        Step("text", wording.VERSION, SECONDS_AT_LEAST, (Field.TITLE, Field.DESCRIPTION), _compose_texts),
    )


def _each_photo(
    board: Board, step: str, version: str, read: Callable[[PhotoInput], Json]
) -> Iterator[tuple[PhotoInput, Json, bool]]:
    """(photo, reading, whether it was known already) for each photo that can be decoded.

    Raises StepFailed when none can.
    """
    request = board.request
    seen = 0
    for photo in request.photos:
        known = request.readings.find(sha256=photo.sha256, step=step, version=version)
        reading = known
        if reading is None:
            try:
                reading = read(photo)
            except OSError:  # what Pillow raises for a picture that it cannot decode
                continue
            request.readings.keep(sha256=photo.sha256, step=step, version=version, reading=reading)
        seen += 1
        yield photo, reading, known is not None
    if not seen:
        raise StepFailed("no_photo_readable")


def _look_at_kinds(board: Board) -> Taken:
    model = garments.kind_model()

    def read(photo: PhotoInput) -> Json:
        return model.read(board.picture(photo)).to_json()

    reused = 0
    for photo, reading, was_known in _each_photo(board, "category", model.version, read):
        reused += was_known
        board.photo_kinds[photo.id] = garments.PhotoKinds(
            ranked=tuple(garments.KindConfidence(kind, p) for kind, p in reading["ranked"]),
            garment=reading["garment"],
            embedding=np.zeros(0, dtype=np.float32),
        )
    together = model.pooled(list(board.photo_kinds.values()))
    board.kinds = KindsSeen(
        ranked=tuple((entry.kind, entry.confidence) for entry in together.ranked),
        sure_from=model.auto_fill_threshold,
        shown_by=list(board.photo_kinds)[together.shown_by],
    )
    return Taken(_propose_category(board), reused=reused)


def _propose_category(board: Board) -> tuple[Proposal, ...]:
    if board.kinds is None:
        return ()
    request = board.request
    offered = category.propose_category(
        kinds=board.kinds, department=board.department, facts=request.facts, catalogue=request.catalogue
    )
    parcel = category.propose_parcel_size(category=offered, facts=request.facts, catalogue=request.catalogue)
    return (offered, parcel)


def _look_at_colours(board: Board) -> Taken:
    def read(photo: PhotoInput) -> Json:
        found = colours.read(board.picture(photo))
        box = Box(found.box.left, found.box.top, found.box.width, found.box.height)
        return ColoursSeen(
            chosen=found.chosen,
            likely=tuple((entry.colour, entry.probability) for entry in found.likely),
            box=box if found.separated else None,
        ).to_json()

    reused = 0
    for photo, reading, was_known in _each_photo(board, "colour", colours.RULES_VERSION, read):
        reused += was_known
        board.colours[photo.id] = ColoursSeen.from_json(reading)
    proposal = attributes.propose_colours(
        seen=board.colours,
        weights={photo_id: _clarity(board, photo_id) for photo_id in board.colours},
        catalogue=board.request.catalogue,
    )
    return Taken((proposal,), reused=reused)


def _clarity(board: Board, photo_id: str) -> float:
    """How clearly a photo shows the thing; the cover counts twice, a photo of a label hardly at all."""
    kinds = board.photo_kinds.get(photo_id)
    clear = kinds.ranked[0].confidence ** 2 if kinds is not None and kinds.ranked else 0.5
    return max(0.01, clear) * (2.0 if photo_id == board.request.photos[0].id else 1.0)


def _read_labels(board: Board) -> Taken:
    request = board.request
    brands = {
        spelling: brand.id
        for brand in request.catalogue.brands
        if brand.id != attributes.NO_BRAND
        for spelling in (brand.name, *brand.aliases)
    }
    ends_at = time.monotonic() + LABEL_BUDGET_S
    reused = 0
    for photo in sorted(request.photos, key=lambda photo: _clarity(board, photo.id)):
        version = labels.model_version()
        reading = request.readings.find(sha256=photo.sha256, step="label_text", version=version)
        if reading is not None:
            reused += 1
        else:
            left = ends_at - time.monotonic()
            if left <= 0:
                break
            try:
                found = labels.read(_large(photo), budget_s=min(left, LABEL_BUDGET_PER_PHOTO_S))
            except OSError:
                continue
            reading = [
                [line.text, line.confidence, line.box.left, line.box.top, line.box.width, line.box.height]
                for line in found.lines
            ]
            if found.complete:
                request.readings.keep(
                    sha256=photo.sha256, step="label_text", version=version, reading=reading
                )
        lines = [labels.TextLine(text, p, labels.TextBox(*box)) for text, p, *box in reading]
        facts = label_facts.facts_in(lines, brands)
        board.labels += _facts_on(photo.id, lines, facts)
        board.care += [
            CareFact(
                c.code, c.text, min(label_facts.MOST_SURE, c.confidence), photo.id, _place(lines[c.line])
            )
            for c in facts.care
        ]
    return Taken(said_something=bool(board.labels or board.care), reused=reused)


def _large(photo: PhotoInput) -> Image.Image:
    image = Image.open(io.BytesIO(photo.content))
    image.draft("RGB", (LABEL_SIDE, LABEL_SIDE))
    return image


def _place(line: labels.TextLine) -> Box:
    return Box(line.box.left, line.box.top, line.box.width, line.box.height)


def _facts_on(photo_id: str, lines: list[labels.TextLine], facts: label_facts.LabelFacts) -> list[LabelFact]:
    def fact(
        field_: Field, value: str, line: int, confidence: float, percent: int | None = None
    ) -> LabelFact:
        sure = min(label_facts.MOST_SURE, confidence)
        return LabelFact(field_, value, lines[line].text, sure, photo_id, _place(lines[line]), percent)

    found = [
        fact(
            Field.SIZE,
            f"{size.scale.upper()} {size.text}" if size.scale else size.text,
            size.line,
            size.confidence,
        )
        for size in facts.sizes
    ]
    found += [fact(Field.MATERIALS, m.id, m.line, m.confidence, m.percent) for m in facts.materials]
    if facts.brand is not None:
        found.append(fact(Field.BRAND, facts.brand.id, facts.brand.line, facts.brand.confidence))
    return found


def _name_attributes(board: Board) -> Taken:
    request = board.request
    # The label may have said for whom it is, so the category is looked at once more.
    again = [p for p in _propose_category(board) if p != board.proposals.get(p.field)]
    for proposal in again:
        _accept(board, proposal)
    leaves = [request.catalogue.category_by_id[id_] for id_ in board.known.category_ids]
    if not leaves and (department := board.department) is not None:
        # A label alone: which thing it is of is open, but not for whom, so its size can be offered.
        leaves = list(request.catalogue.leaves_in(department.id))
    return Taken(
        (
            *again,
            attributes.propose_brand(labels=board.labels, facts=request.facts, catalogue=request.catalogue),
            attributes.propose_size(
                labels=board.labels, facts=request.facts, leaves=leaves, catalogue=request.catalogue
            ),
            attributes.propose_materials(labels=board.labels, catalogue=request.catalogue),
            condition.propose_condition(request.facts, leaves=leaves, catalogue=request.catalogue),
        )
    )


def _estimate_price(board: Board) -> Taken:
    known, market = board.known, board.request.market
    items = (
        board.request.comparables.find(
            category_ids=known.category_ids, currency=market.currency, limit=price.LIMIT
        )
        if known.category_ids
        else ()
    )
    return Taken((price.propose_price(items, known=known, currency=market.currency),))


def _compose_texts(board: Board) -> Taken:
    request, known = board.request, board.known
    relied_on = [
        proposal.confidence
        for field_ in (Field.CATEGORY, Field.COLOURS, Field.BRAND, Field.SIZE)
        if (proposal := board.proposals.get(field_)) is not None
        and proposal.value is not None
        and proposal.confidence is not None
    ]
    if known.category_id is None and board.verdict is not None:
        relied_on.append(board.verdict.probability)
    return Taken(
        tuple(
            wording.propose_text(
                text_field,
                known=known,
                facts=request.facts,
                proposals=board.proposals,
                confidence=min(relied_on, default=1.0),
                language=request.market.language,
                catalogue=request.catalogue,
            )
            for text_field in (Field.TITLE, Field.DESCRIPTION)
        )
    )
