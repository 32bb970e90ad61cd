"""Two providers as one: a fallback, a cascade.

A later report replaces what an earlier one said about a field (``contract``), so the second provider's
proposals are handed on only where they say more: a value beats a choice, and a choice beats silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

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

_SAYS_MORE = {Standing.ABSTAINED: 0, Standing.CHOICE: 1, Standing.PROPOSED: 2}

NOT_FOR_A_MODEL = frozenset({"department_unknown"})
"""Notes of choices that another look cannot settle: only the seller knows for whom a thing is."""

Rules: TypeAlias = Mapping[Field, float | None]
"""What the second provider of a cascade may answer, and what is worth asking it for: a field without a
value, or with one whose confidence is below this number. None: answered along, never a reason to ask."""

DEFAULT_RULES: Rules = MappingProxyType(
    {
        **dict.fromkeys((Field.CATEGORY, Field.BRAND, Field.COLOURS), 0.0),
        **dict.fromkeys((Field.SIZE, Field.CONDITION, Field.MATERIALS, Field.PARCEL_SIZE), None),
        **dict.fromkeys((Field.TITLE, Field.DESCRIPTION), None),
    }
)
"""Where no route says otherwise: the absence of one of three fields is worth a call."""


class _Said:
    """What has been said about each field so far."""

    def __init__(self) -> None:
        self._by_field: dict[Field, Proposal] = {}

    def hear(self, report: StepReport) -> StepReport:
        """Take note of a report as it is."""
        self._by_field.update({proposal.field: proposal for proposal in report.proposals})
        return report

    def add(self, report: StepReport, *, surer: frozenset[Field] = frozenset()) -> StepReport:
        """The report, with those proposals only that say more than what was said.

        Among ``surer``, a value replaces one of lower confidence.
        """
        kept = tuple(proposal for proposal in report.proposals if self._is_more(proposal, surer))
        return self.hear(replace(report, proposals=kept))

    def _is_more(self, proposal: Proposal, surer: frozenset[Field]) -> bool:
        said = self._by_field.get(proposal.field)
        if said is None:
            return True
        more = _SAYS_MORE[proposal.standing] - _SAYS_MORE[said.standing]
        if not more and said.standing is Standing.PROPOSED and proposal.field in surer:
            return (proposal.confidence or 0.0) > (said.confidence or 0.0)
        return more > 0

    def open_among(self, fields: frozenset[Field], rules: Rules | None = None) -> frozenset[Field]:
        """The fields that have no value yet, or none as sure as the rules want it, and could get one."""
        return frozenset(field for field in fields if self._is_open(field, (rules or {}).get(field)))

    def _is_open(self, field: Field, sure_from: float | None) -> bool:
        said = self._by_field.get(field)
        if said is None:
            return True
        if said.standing is Standing.PROPOSED:
            return sure_from is not None and (said.confidence or 0.0) < sure_from
        return said.note not in NOT_FOR_A_MODEL


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
    """The first one's word; the second is asked only when the rules find a field open that is worth it.

    A field that the seller filled in is never open.
    """

    def __init__(self, name: str, first: Provider, second: Provider, *, rules: Rules = DEFAULT_RULES) -> None:
        super().__init__(name, first, second)
        self._rules = rules

    def with_rules(self, rules: Rules) -> Cascade:
        """The same two providers under other rules."""
        return Cascade(self._name, self._first, self._second, rules=rules)

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """The first in full; the second where it is needed, and for open fields only."""
        said = _Said()
        for report in self._first.run(request):
            yield said.hear(report)
        plan = self._second.plan(request)
        may = _fields_of(plan) & frozenset(self._rules)
        wanted = said.open_among(may, self._rules) - stated_by(request.facts)
        if not any(self._rules[field] is not None for field in wanted):
            yield from _left_out(plan)
            return
        for report in self._second.run(request):
            proposals = tuple(proposal for proposal in report.proposals if proposal.field in wanted)
            yield said.add(replace(report, proposals=proposals), surer=wanted)


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
