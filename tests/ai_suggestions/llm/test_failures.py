"""Every way in which an endpoint can fail: each ends in its own stated outcome, in time, and counted."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ai_suggestions.contract import Field, Outcome, Standing
from ai_suggestions.llm.budget import BudgetInMemory
from ai_suggestions.llm.outcomes import RULES, Billing, Problem
from ai_suggestions.llm.prices import Prices
from ai_suggestions.llm.provider import LlmOptions
from tests.ai_suggestions.llm.asking import REPOSITORY, SNEAKERS, a_request, answer, field_of, measured
from tests.ai_suggestions.llm.conftest import Asker, AskerMaker
from tests.doubles.openai_server import (
    OpenAiServer,
    Script,
    breaks_off,
    completion,
    drips,
    fails,
    hangs,
    says,
    sends,
)

TODAY = datetime(2026, 3, 1, tzinfo=UTC).date()
HALF_A_SURROGATE = json.dumps(answer()).replace("Red low", "\\ud800 low")
HTML = {"Content-Type": "text/html"}
ELSEWHERE = {"Location": "http://127.0.0.1:1/v1"}
PRICED = Prices(Decimal(2), Decimal(1), Decimal(8))


def gzipped(content: object) -> Script:
    """An answer that is compressed although nobody asked for it."""
    return lambda reply: reply.send(
        200,
        gzip.compress(json.dumps(completion(content, seen=reply.seen)).encode()),
        headers={"Content-Encoding": "gzip"},
    )


def ten_megabytes() -> Script:
    return lambda reply: reply.send_json(200, completion("x" * 10_000_000, seen=reply.seen))


FAILURES: list[tuple[str, Script, Problem]] = [
    ("refusal", says(None, refusal="I can't help with that."), Problem.REFUSED),
    ("content filter", says("", finish_reason="content_filter"), Problem.REFUSED),
    ("length", says('{"things": [', finish_reason="length"), Problem.CUT_OFF),
    ("empty content", says(""), Problem.EMPTY_ANSWER),
    ("no content", says(None), Problem.EMPTY_ANSWER),
    ("prose", says("A lovely pair of trainers."), Problem.INVALID_JSON),
    ("half a JSON", says('{"things": [{"id": "trainers", "cert'), Problem.INVALID_JSON),
    ("another JSON", says({"category": "shoes"}), Problem.INVALID_ANSWER),
    ("wrong types", says(answer(things="trainers")), Problem.INVALID_ANSWER),
    ("half a surrogate", says(HALF_A_SURROGATE), Problem.INVALID_ANSWER),
    ("401", fails(401, "Incorrect API key", code="invalid_api_key"), Problem.AUTH_FAILED),
    ("403", fails(403, "Not available in your country"), Problem.AUTH_FAILED),
    ("404", fails(404, "The model does not exist", code="model_not_found"), Problem.MODEL_NOT_FOUND),
    ("400", fails(400, "This image is not allowed"), Problem.BAD_REQUEST),
    ("429", fails(429, "Slow down", headers={"Retry-After": "7"}), Problem.RATE_LIMITED),
    ("429 for good", fails(429, "You ran out", code="insufficient_quota"), Problem.QUOTA_EXHAUSTED),
    ("500", fails(500, "Oops"), Problem.SERVER_ERROR),
    ("503", fails(503, "Overloaded"), Problem.SERVER_ERROR),
    ("web page", sends(b"<html>Welcome</html>", headers=HTML), Problem.NOT_A_COMPLETION),
    ("no choices", sends(b'{"choices": []}'), Problem.NOT_A_COMPLETION),
    ("compressed", gzipped(SNEAKERS), Problem.NOT_A_COMPLETION),
    ("redirect", fails(307, "elsewhere", headers=ELSEWHERE), Problem.NOT_A_COMPLETION),
    ("10 MB", ten_megabytes(), Problem.ANSWER_TOO_LARGE),
    ("connection lost", breaks_off(SNEAKERS), Problem.CONNECTION_LOST),
]  # fmt: skip


@pytest.fixture
def hasty(server: OpenAiServer, asker_of: AskerMaker) -> Asker:
    """A provider that waits half a second, for a model that costs money."""
    options = LlmOptions(timeout_s=0.5, prices=PRICED, calibration=measured)
    return asker_of(server.url, options=options, budget=BudgetInMemory(limit_micro=1_000_000))


class TestFailure:
    @pytest.mark.parametrize(("script", "problem"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES])
    def test_is_told_apart(
        self, server: OpenAiServer, asker_of: AskerMaker, script: Script, problem: Problem
    ) -> None:
        asker = asker_of(server.url, options=LlmOptions(timeout_s=5, prices=PRICED, calibration=measured))
        server.play(script)
        report = asker.ask(a_request())
        assert (report.outcome, report.error_code) == (RULES[problem].outcome, problem.value)
        assert [call.outcome for call in asker.calls] == [problem.value]
        # No retry of the SDK's.
        assert len(server.seen) == 1
        spent = asker.budget.spent_micro(TODAY)
        assert (spent == 0) == (RULES[problem].billing is Billing.NO)
        if RULES[problem].billing is Billing.YES:
            assert spent == asker.calls[0].cost_micro > 0

    def test_of_a_server_that_hangs_ends_in_time(self, server: OpenAiServer, hasty: Asker) -> None:
        server.play(hangs(3))
        began = time.monotonic()
        report = hasty.ask(a_request())
        assert (report.outcome, report.error_code) == (Outcome.TIMED_OUT, "llm_timed_out")
        assert time.monotonic() - began < 1.5

    @pytest.mark.parametrize("what", ["headers", "body"])
    def test_of_a_server_that_drips_ends_in_time(self, server: OpenAiServer, hasty: Asker, what: str) -> None:
        """Each byte comes well before any time-out of a single read."""
        server.play(drips(SNEAKERS, every_s=0.05, what=what))
        began = time.monotonic()
        report = hasty.ask(a_request())
        assert (report.outcome, report.error_code) == (Outcome.TIMED_OUT, "llm_timed_out")
        assert time.monotonic() - began < 1.5

    def test_of_a_server_that_reads_nothing_ends_in_time(self, asker_of: AskerMaker) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            port = deaf.getsockname()[1]
            asker = asker_of(f"http://127.0.0.1:{port}/v1", options=LlmOptions(timeout_s=0.5))
            began = time.monotonic()
            report = asker.ask(a_request())
        assert (report.outcome, report.error_code) == (Outcome.TIMED_OUT, "llm_timed_out")
        assert time.monotonic() - began < 1.5

    def test_to_connect_costs_nothing_and_may_be_retried(self, asker_of: AskerMaker) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closing:
            port = closing.getsockname()[1]
        asker = asker_of(f"http://127.0.0.1:{port}/v1", options=LlmOptions(prices=PRICED))
        report = asker.ask(a_request())
        assert (report.outcome, report.error_code) == (Outcome.FAILED, "llm_unreachable")
        assert asker.budget.spent_micro(TODAY) == 0
        assert report.retry_after_s is not None

    def test_keeps_its_time_over_all_modes_together(self, asker_of: AskerMaker) -> None:
        def slowly_rejects(reply: object) -> None:
            time.sleep(0.2)
            fails(400, "response_format is not supported", param="response_format")(reply)  # type: ignore[arg-type]

        with OpenAiServer(default=slowly_rejects) as server:
            asker = asker_of(server.url, options=LlmOptions(timeout_s=0.3))
            began = time.monotonic()
            report = asker.ask(a_request())
        assert report.error_code == "llm_timed_out"
        assert time.monotonic() - began < 1.0

    def test_of_our_own_is_reported_and_not_raised(
        self, asker: Asker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: object, **kwargs: object) -> None:
            raise RuntimeError("bug")

        monkeypatch.setattr("ai_suggestions.llm.provider.proposals_from", broken)
        report = asker.ask(a_request())
        assert (report.outcome, report.error_code) == (Outcome.FAILED, "llm_internal_error")
        assert [call.outcome for call in asker.calls] == ["llm_internal_error"]


class TestPartialFailure:
    def test_unknown_category_leaves_the_other_fields(self, asker: Asker, server: OpenAiServer) -> None:
        server.play(says(answer(things=[{"id": "spaceships", "certainty": "certain"}])))
        report = asker.ask(a_request())
        assert report.outcome is Outcome.OK
        category = field_of(report, Field.CATEGORY)
        assert (category.standing, category.note) == (Standing.ABSTAINED, "llm_unknown_category")
        assert field_of(report, Field.COLOURS).value == ["red"]
        assert [call.outcome for call in asker.calls] == ["llm_unknown_category"]

    @pytest.mark.parametrize("language", ["de", "fr", "lt"])
    def test_wrong_language_leaves_the_other_fields(
        self, asker: Asker, server: OpenAiServer, language: str
    ) -> None:
        report = asker.ask(a_request(language=language))
        assert report.outcome is Outcome.OK
        description = field_of(report, Field.DESCRIPTION)
        assert (description.standing, description.note) == (Standing.ABSTAINED, "llm_wrong_language")
        assert field_of(report, Field.COLOURS).value == ["red"]
        assert [call.outcome for call in asker.calls] == ["llm_wrong_language"]

    def test_missing_usage_is_counted_in_full(self, server: OpenAiServer, hasty: Asker) -> None:
        server.play(says(SNEAKERS, usage=False))
        assert hasty.ask(a_request()).outcome is Outcome.OK
        assert not hasty.calls[0].usage_reported
        # What was set aside: a bound by bytes of text and pixels of photos, far above the true cost.
        assert hasty.budget.spent_micro(TODAY) > 20_000


class TestTable:
    def test_has_a_rule_for_every_problem(self) -> None:
        assert set(RULES) == set(Problem)

    def test_retries_only_what_cannot_have_been_billed(self) -> None:
        assert not [
            problem for problem, rule in RULES.items() if rule.retry and rule.billing is not Billing.NO
        ]

    def test_is_the_one_in_the_documentation(self) -> None:
        text = (REPOSITORY / "docs" / "llm.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| `(llm_\w+)` \| .* \| (\w+) \| (\w+) \|$", text, re.MULTILINE)
        documented = {code: (again in ("yes", "later"), billed) for code, again, billed in rows}
        assert documented == {
            problem.value: (rule.retry, rule.billing.value) for problem, rule in RULES.items()
        }

    def test_codes_fit_their_column(self) -> None:
        assert max(len(problem) for problem in Problem) <= 40
