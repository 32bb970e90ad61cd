"""Two providers as one: a fallback, a cascade, a shadow.

A later report replaces what an earlier one said about a field (``contract``), so the second provider's
proposals are handed on only where they say more: a value beats a choice, and a choice beats silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import structlog

from ai_suggestions.contract import (
    Field,
    Outcome,
    Proposal,
    Provider,
    SellerFacts,
    Standing,
    StepPlan,
    StepReport,
    SuggestionRequest,
)

logger = structlog.get_logger(__name__)

_SAYS_MORE = {Standing.ABSTAINED: 0, Standing.CHOICE: 1, Standing.PROPOSED: 2}

NOT_FOR_A_MODEL = frozenset({"department_unknown"})
"""Notes of choices that another look cannot settle: only the seller knows for whom a thing is."""

WORTH_A_CALL = frozenset({Field.CATEGORY, Field.BRAND, Field.COLOURS})
"""Fields whose absence is worth a paid call; with it come the others, where they say more."""


class _Said:
    """What has been said about each field so far."""

    def __init__(self) -> None:
        self._by_field: dict[Field, Proposal] = {}

    def hear(self, report: StepReport) -> StepReport:
        """Take note of a report as it is."""
        self._by_field.update({proposal.field: proposal for proposal in report.proposals})
        return report

    def add(self, report: StepReport) -> StepReport:
        """The report, with those proposals only that say more than what was said."""
        kept = tuple(proposal for proposal in report.proposals if self._is_more(proposal))
        return self.hear(replace(report, proposals=kept))

    def _is_more(self, proposal: Proposal) -> bool:
        said = self._by_field.get(proposal.field)
        return said is None or _SAYS_MORE[proposal.standing] > _SAYS_MORE[said.standing]

    def open_among(self, fields: frozenset[Field]) -> frozenset[Field]:
        """The fields that have no value yet, and could get one by another look."""
        return frozenset(
            field
            for field in fields
            if (said := self._by_field.get(field)) is None
            or (said.standing is not Standing.PROPOSED and said.note not in NOT_FOR_A_MODEL)
        )


def _fields_of(plan: Sequence[StepPlan]) -> frozenset[Field]:
    return frozenset(field for step in plan for field in step.fields)


def _left_out(plan: Sequence[StepPlan]) -> Iterator[StepReport]:
    """Steps that were not taken because nothing was left to find."""
    for step in plan:
        yield StepReport(step.name, step.version, Outcome.ABSTAINED, elapsed_ms=0)


class _Pair:
    def __init__(self, name: str, first: Provider, second: Provider) -> None:
        self._name = name
        self._first = first
        self._second = second

    @property
    def name(self) -> str:
        """Stable name of the combination."""
        return self._name

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """The steps of the first, then those of the second."""
        return (*self._first.plan(request), *self._second.plan(request))

    def warm_up(self) -> None:
        """Warm up both."""
        self._first.warm_up()
        self._second.warm_up()


class Fallback(_Pair):
    """The first one's word, and the second's for whatever the first did not fill in.

    When the first fails, its report says so (``error_code``), and the second does the work.
    """

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """Both in order; the second is left out when the first filled in all that it could say."""
        said = _Said()
        for report in self._first.run(request):
            yield said.hear(report)
        plan = self._second.plan(request)
        if not said.open_among(_fields_of(plan)):
            yield from _left_out(plan)
            return
        for report in self._second.run(request):
            yield said.add(report)


class Cascade(_Pair):
    """The first one's word; the second is asked only when a field in ``worth`` is still without a value.

    ``worth``: the fields that justify a call. A field that the seller filled in needs none.
    """

    def __init__(
        self, name: str, first: Provider, second: Provider, *, worth: frozenset[Field] = WORTH_A_CALL
    ) -> None:
        super().__init__(name, first, second)
        self._worth = worth

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """The first in full; the second where it is needed, and for open fields only."""
        said = _Said()
        for report in self._first.run(request):
            yield said.hear(report)
        plan = self._second.plan(request)
        wanted = said.open_among(_fields_of(plan)) - stated_by(request.facts)
        if not wanted & self._worth:
            yield from _left_out(plan)
            return
        for report in self._second.run(request):
            proposals = tuple(proposal for proposal in report.proposals if proposal.field in wanted)
            yield said.add(replace(report, proposals=proposals))


def stated_by(facts: SellerFacts) -> frozenset[Field]:
    """The fields that the seller filled in."""
    stated: Mapping[Field, object] = {
        Field.CATEGORY: facts.category_id,
        Field.BRAND: facts.brand_id,
        Field.SIZE: facts.size_id,
        Field.CONDITION: facts.condition_id,
        Field.COLOURS: facts.colour_ids,
        Field.MATERIALS: facts.material_ids,
        Field.TITLE: facts.title.strip(),
        Field.DESCRIPTION: facts.description.strip(),
    }
    return frozenset(field for field, value in stated.items() if value)


Comparison: TypeAlias = Callable[[SuggestionRequest, tuple[StepReport, ...], tuple[StepReport, ...]], None]
"""Keeps what the live provider and the shadow said about the same request."""


class Shadow:
    """The live provider's word; the other one looks too, and only we hear what it says.

    It looks after the live one's last report, when the seller has everything; the run stays open for it.
    """

    def __init__(self, live: Provider, shadow: Provider, *, compare: Comparison) -> None:
        self._live = live
        self._shadow = shadow
        self._compare = compare

    @property
    def name(self) -> str:
        """The live provider's: the seller's run is its run."""
        return self._live.name

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """The live provider's."""
        return self._live.plan(request)

    def warm_up(self) -> None:
        """Warm up both."""
        self._live.warm_up()
        self._shadow.warm_up()

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """The live provider's reports."""
        live: list[StepReport] = []
        for report in self._live.run(request):
            live.append(report)
            yield report
        try:
            self._compare(request, tuple(live), tuple(self._shadow.run(request)))
        except Exception:
            logger.exception("shadow_broke", live=self._live.name, shadow=self._shadow.name)
