"""The LLM before, behind and beside another provider (here: ones that say what they were told)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from ai_suggestions.contract import (
    Alternative,
    Evidence,
    Field,
    Outcome,
    Proposal,
    Provider,
    SellerFacts,
    Source,
    Standing,
    StepPlan,
    StepReport,
    SuggestionRequest,
    abstained,
    choice,
    proposed,
)
from ai_suggestions.llm.combined import Cascade, Fallback
from tests.ai_suggestions.llm.asking import a_request, field_of
from tests.ai_suggestions.llm.conftest import Asker
from tests.doubles.openai_server import OpenAiServer, fails

SEEN = [Evidence(Source.PHOTO)]


def value(name: Field, said: object) -> Proposal:
    return proposed(name, said, 0.9, evidence=SEEN)


def open_(name: Field, *offered: object, note: str = "below_threshold") -> Proposal:
    return choice(name, [Alternative(one) for one in offered], note=note)


@dataclass
class Told:
    """A provider of one step that says what it was told."""

    name: str
    proposals: tuple[Proposal, ...] = ()
    fields: tuple[Field, ...] = (Field.CATEGORY, Field.COLOURS)
    error_code: str | None = None
    asked: int = field(default=0)

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        return (StepPlan(self.name, "1", 1.0, self.fields),)

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        self.asked += 1
        outcome = Outcome.FAILED if self.error_code else Outcome.OK
        yield StepReport(self.name, "1", outcome, 1, self.proposals, self.error_code)

    def warm_up(self) -> None:
        """Nothing to load."""


def last_word(provider: Provider, request: SuggestionRequest | None = None) -> dict[Field, Proposal]:
    """What a run would store: the last proposal for each field. The reports have to follow the plan."""
    request = request or a_request()
    reports = list(provider.run(request))
    assert [report.step for report in reports] == [step.name for step in provider.plan(request)]
    return {proposal.field: proposal for report in reports for proposal in report.proposals}


class TestFallback:
    def test_takes_the_second_ones_word_when_the_first_fails(self) -> None:
        second = Told("second", (value(Field.COLOURS, ["red"]),))
        provider = Fallback("pair", Told("first", error_code="llm_timed_out"), second)
        first_report = next(iter(provider.run(a_request())))
        assert first_report.error_code == "llm_timed_out"
        assert last_word(provider)[Field.COLOURS].value == ["red"]

    def test_leaves_the_second_out_when_all_is_said(self) -> None:
        said = (value(Field.CATEGORY, "a"), value(Field.COLOURS, ["red"]))
        second = Told("second", (value(Field.COLOURS, ["blue"]),))
        assert last_word(Fallback("pair", Told("first", said), second))[Field.COLOURS].value == ["red"]
        assert second.asked == 0

    def test_keeps_the_first_ones_word_against_one_that_says_no_more(self) -> None:
        first = Told("first", (value(Field.CATEGORY, "a"), open_(Field.COLOURS, "red")))
        second = Told("second", (value(Field.CATEGORY, "b"), open_(Field.COLOURS, "blue")))
        word = last_word(Fallback("pair", first, second))
        assert word[Field.CATEGORY].value == "a"
        assert word[Field.COLOURS].alternatives[0].value == "red"

    @pytest.mark.parametrize("first", [abstained(Field.COLOURS, note="x"), open_(Field.COLOURS, "blue")])
    def test_takes_the_second_ones_value_where_the_first_has_none(self, first: Proposal) -> None:
        provider = Fallback("pair", Told("first", (first,)), Told("second", (value(Field.COLOURS, ["red"]),)))
        assert last_word(provider)[Field.COLOURS].value == ["red"]

    def test_lets_no_silence_replace_an_offer(self) -> None:
        first = Told("first", (open_(Field.COLOURS, "red"),))
        second = Told("second", (abstained(Field.COLOURS, note="nothing"),))
        assert last_word(Fallback("pair", first, second))[Field.COLOURS].standing is Standing.CHOICE

    def test_of_a_real_endpoint_that_fails_says_so(self, asker: Asker, server: OpenAiServer) -> None:
        server.play(fails(503))
        second = Told("on_device", (value(Field.COLOURS, ["red"]),))
        llm, on_device = Fallback("pair", asker.provider, second).run(a_request())
        assert (llm.outcome, llm.error_code) == (Outcome.FAILED, "llm_server_error")
        assert field_of(on_device, Field.COLOURS).value == ["red"]


class TestCascade:
    def test_asks_nobody_else_when_all_that_matters_is_said(self) -> None:
        second = Told("second", fields=(Field.COLOURS, Field.CONDITION))
        first = Told("first", (value(Field.COLOURS, ["red"]), open_(Field.CONDITION, "good")))
        provider = Cascade("pair", first, second)
        reports = list(provider.run(a_request()))
        assert (second.asked, reports[1].outcome, reports[1].elapsed_ms) == (0, Outcome.ABSTAINED, 0)

    def test_asks_for_what_is_below_its_threshold_and_for_nothing_else(self) -> None:
        first = Told("first", (value(Field.CATEGORY, "a"), open_(Field.COLOURS, "red", "blue")))
        second = Told("second", (value(Field.CATEGORY, "b"), value(Field.COLOURS, ["blue"])))
        word = last_word(Cascade("pair", first, second))
        assert word[Field.CATEGORY].value == "a"
        assert word[Field.COLOURS].value == ["blue"]

    def test_does_not_ask_a_model_for_whom_a_thing_is(self) -> None:
        unknown = open_(Field.CATEGORY, "women-jeans", "men-jeans", note="department_unknown")
        second = Told("second", (value(Field.CATEGORY, "men-jeans"),), fields=(Field.CATEGORY,))
        assert last_word(Cascade("pair", Told("first", (unknown,)), second))[Field.CATEGORY].value is None
        assert second.asked == 0

    def test_does_not_ask_for_what_the_seller_filled_in(self) -> None:
        second = Told("second", fields=(Field.BRAND,))
        first = Told("first", (abstained(Field.BRAND, note="no_label"),))
        last_word(Cascade("pair", first, second), a_request(facts=SellerFacts(brand_id="nike")))
        assert second.asked == 0

    def test_keeps_what_was_said_when_the_second_fails(self) -> None:
        first = Told("first", (open_(Field.COLOURS, "red"),))
        provider = Cascade("pair", first, Told("second", error_code="llm_budget_spent"))
        assert last_word(provider)[Field.COLOURS].alternatives[0].value == "red"

    @pytest.mark.parametrize(("sure_from", "colours"), [(0.95, ["blue"]), (0.9, ["red"]), (0.0, ["red"])])
    def test_asks_about_a_value_below_the_rules_number(self, sure_from: float, colours: list[str]) -> None:
        surer = proposed(Field.COLOURS, ["blue"], 0.97, evidence=SEEN)
        first = Told("first", (value(Field.COLOURS, ["red"]),))
        provider = Cascade("pair", first, Told("second", (surer,)), rules={Field.COLOURS: sure_from})
        assert last_word(provider)[Field.COLOURS].value == colours

    def test_keeps_a_value_that_the_second_is_less_sure_of(self) -> None:
        doubtful = proposed(Field.COLOURS, ["blue"], 0.6, evidence=SEEN)
        first = Told("first", (value(Field.COLOURS, ["red"]),))
        provider = Cascade("pair", first, Told("second", (doubtful,)), rules={Field.COLOURS: 0.95})
        assert last_word(provider)[Field.COLOURS].value == ["red"]

    def test_takes_no_field_that_the_rules_do_not_name(self) -> None:
        both = (value(Field.CATEGORY, "a"), value(Field.COLOURS, ["red"]))
        provider = Cascade("pair", Told("first"), Told("second", both), rules={Field.COLOURS: 0.0})
        assert set(last_word(provider)) == {Field.COLOURS}

    def test_takes_along_what_is_no_reason_to_ask(self) -> None:
        both = (value(Field.CATEGORY, "a"), value(Field.COLOURS, ["red"]))
        rules = {Field.CATEGORY: 0.0, Field.COLOURS: None}
        assert (
            last_word(Cascade("pair", Told("first"), Told("second", both), rules=rules)).keys()
            == rules.keys()
        )
        second = Told("second", both)
        first = Told("first", (value(Field.CATEGORY, "a"),))
        last_word(Cascade("pair", first, second, rules=rules))
        assert second.asked == 0
