"""Circuit breaker and budget: what is not asked, what is not paid, what is not paid twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ai_suggestions.contract import Outcome
from ai_suggestions.llm.breaker import BreakerRules, Circuit, CircuitBreaker
from ai_suggestions.llm.budget import BudgetInMemory
from ai_suggestions.llm.completion import TokenDetails, TokenUsage
from ai_suggestions.llm.endpoint import retry_after
from ai_suggestions.llm.prices import Prices
from ai_suggestions.llm.provider import LlmOptions
from ai_suggestions.llm.state import StateInMemory
from tests.ai_suggestions.llm.asking import a_request, demo_photo, measured
from tests.ai_suggestions.llm.conftest import Asker, AskerMaker
from tests.doubles.openai_server import OpenAiServer, breaks_off, fails, hangs, says

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
PRICED = Prices(Decimal(2), Decimal(1), Decimal(8))


class TestCircuitBreaker:
    @pytest.fixture
    def breaker(self) -> CircuitBreaker:
        rules = BreakerRules(failures=2, pause_s=30, longest_pause_s=50)
        return CircuitBreaker(StateInMemory(), name="endpoint", rules=rules)

    def test_opens_after_some_failures(self, breaker: CircuitBreaker) -> None:
        breaker.failed(now=NOW)
        assert breaker.circuit(now=NOW) is Circuit.CLOSED
        breaker.failed(now=NOW)
        assert breaker.circuit(now=NOW) is Circuit.OPEN
        assert not breaker.lets_through(now=NOW)

    def test_lets_one_worker_probe_after_the_pause(self, breaker: CircuitBreaker) -> None:
        breaker.failed(now=NOW)
        breaker.failed(now=NOW)
        later = NOW + timedelta(seconds=30)
        assert breaker.circuit(now=later) is Circuit.HALF_OPEN
        assert [breaker.lets_through(now=later) for _ in range(3)] == [True, False, False]

    def test_closes_when_the_probe_succeeds(self, breaker: CircuitBreaker) -> None:
        breaker.failed(now=NOW)
        breaker.failed(now=NOW)
        later = NOW + timedelta(seconds=30)
        assert breaker.lets_through(now=later)
        breaker.succeeded()
        assert breaker.circuit(now=later) is Circuit.CLOSED
        breaker.failed(now=later)
        assert breaker.circuit(now=later) is Circuit.CLOSED

    def test_stays_open_longer_with_each_probe_that_fails(self, breaker: CircuitBreaker) -> None:
        breaker.failed(now=NOW)
        breaker.failed(now=NOW)
        assert breaker.wait_s(now=NOW) == 30
        later = NOW + timedelta(seconds=30)
        assert breaker.lets_through(now=later)
        breaker.failed(now=later)
        # Doubled, up to the longest.
        assert breaker.wait_s(now=later) == 50

    def test_lets_the_next_worker_probe_when_a_probe_told_nothing(self, breaker: CircuitBreaker) -> None:
        breaker.hold(5, now=NOW)
        later = NOW + timedelta(seconds=6)
        assert breaker.lets_through(now=later)
        breaker.gave_up()
        assert breaker.lets_through(now=later)

    def test_is_shared_by_workers(self) -> None:
        state = StateInMemory()
        mine, yours = (CircuitBreaker(state, name="endpoint") for _ in range(2))
        mine.hold(60, now=NOW)
        assert not yours.lets_through(now=NOW)
        assert CircuitBreaker(state, name="another").lets_through(now=NOW)

    def test_forgets_failures_that_are_long_ago(self) -> None:
        elapsed = [0.0]
        breaker = CircuitBreaker(
            StateInMemory(lambda: elapsed[0]), name="endpoint", rules=BreakerRules(failures=2, within_s=60)
        )
        breaker.failed(now=NOW)
        elapsed[0] = 61
        breaker.failed(now=NOW)
        assert breaker.circuit(now=NOW) is Circuit.CLOSED


class TestEndpointThatIsDown:
    def test_is_left_alone_and_asked_again_later(self, server: OpenAiServer, asker_of: AskerMaker) -> None:
        options = LlmOptions(breaker=BreakerRules(failures=2, pause_s=30), calibration=measured)
        asker = asker_of(server.url, options=options)
        server.play(fails(500), fails(500))
        assert [asker.ask(a_request()).error_code for _ in range(3)] == [
            "llm_server_error",
            "llm_server_error",
            "llm_circuit_open",
        ]
        assert len(server.seen) == 2
        asker.clock.forward(seconds=31)
        assert asker.ask(a_request()).outcome is Outcome.OK
        assert asker.provider.breaker.circuit(now=asker.clock()) is Circuit.CLOSED

    def test_is_not_asked_before_its_retry_after(self, asker: Asker, server: OpenAiServer) -> None:
        server.play(fails(429, "slow down", headers={"Retry-After": "20"}))
        assert asker.ask(a_request()).error_code == "llm_rate_limited"
        assert asker.calls[0].retry_after_s == 20
        asker.clock.forward(seconds=19)
        assert asker.ask(a_request()).error_code == "llm_circuit_open"
        asker.clock.forward(seconds=2)
        assert asker.ask(a_request()).outcome is Outcome.OK

    def test_a_refusal_is_no_fault_of_the_endpoint(self, server: OpenAiServer, asker_of: AskerMaker) -> None:
        asker = asker_of(server.url, options=LlmOptions(breaker=BreakerRules(failures=1)))
        server.play(says(None, refusal="no"))
        asker.ask(a_request())
        assert asker.provider.breaker.circuit(now=asker.clock()) is Circuit.CLOSED

    def test_costs_no_budget_while_it_is_left_alone(self, server: OpenAiServer, asker_of: AskerMaker) -> None:
        asker = asker_of(server.url, options=LlmOptions(prices=PRICED))
        asker.provider.breaker.hold(60, now=asker.clock())
        assert asker.ask(a_request()).error_code == "llm_circuit_open"
        assert asker.budget.spent_micro(TODAY) == 0


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("7", 7.0),
            ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
            ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
            ("soon", None),
            ("-3", None),
            ("9" * 30, 999_999_999.0),
            ("Sun, 99 Mar 2026 12:01:00 GMT", None),
        ],
    )
    def test_is_seconds_or_an_instant(self, value: str, seconds: float | None) -> None:
        assert retry_after({"retry-after": value}, now=NOW) == seconds

    def test_may_be_absent(self) -> None:
        assert retry_after({}, now=NOW) is None


class TestSpending:
    def test_stops_at_the_limit(self, server: OpenAiServer, asker_of: AskerMaker) -> None:
        asker = asker_of(
            server.url, options=LlmOptions(prices=PRICED), budget=BudgetInMemory(limit_micro=1000)
        )
        report = asker.ask(a_request())
        assert (report.outcome, report.error_code) == (Outcome.FAILED, "llm_budget_spent")
        assert not server.seen

    def test_of_workers_side_by_side_does_not_exceed_the_limit(
        self, server: OpenAiServer, asker_of: AskerMaker
    ) -> None:
        options = LlmOptions(prices=PRICED, timeout_s=0.6)
        probe = asker_of(server.url, options=options)
        server.play(breaks_off("x"))
        probe.ask(a_request())
        one_call = probe.budget.spent_micro(TODAY)
        server.seen.clear()
        budget = BudgetInMemory(limit_micro=3 * one_call)
        askers = [asker_of(server.url, options=options, budget=budget) for _ in range(8)]
        names = ["sofa/1.jpg", "armchair/1.jpg", "camera/1.jpg", "skateboard/1.jpg", "sneakers/1.jpg"]
        # Nobody learns what a call cost, so each keeps what it set aside.
        server.default = hangs(1)
        codes: list[str | None] = []

        def work(asker: Asker, place: int) -> None:
            photos = (demo_photo(names[place % 5]), demo_photo(names[place % 3], position=1))
            codes.append(asker.ask(a_request(*photos[: 1 + place // 5])).error_code)

        workers = [threading.Thread(target=work, args=(a, place)) for place, a in enumerate(askers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(server.seen) < 4
        assert codes.count("llm_budget_spent") >= 5
        assert budget.spent_micro(TODAY) <= 3 * one_call

    def test_of_a_run_that_is_delivered_twice_happens_once(self, asker: Asker, server: OpenAiServer) -> None:
        """The line broke in the answer: whether it was billed nobody knows, so it is not asked again."""
        server.play(breaks_off("x"))
        assert asker.ask(a_request()).error_code == "llm_connection_lost"
        assert asker.ask(a_request()).error_code == "llm_called_before"
        assert len(server.seen) == 1

    def test_of_a_worker_that_was_killed_in_the_call_happens_once(
        self, asker: Asker, server: OpenAiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        def killed(*args: object, **kwargs: object) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(asker.provider._endpoint, "call", killed)
            with pytest.raises(Killed):
                asker.ask(a_request())
        assert asker.ask(a_request()).error_code == "llm_called_before"
        assert not server.seen

    def test_of_a_refused_question_happens_once(self, asker: Asker, server: OpenAiServer) -> None:
        server.play(says(None, refusal="no"))
        assert asker.ask(a_request()).error_code == "llm_refused"
        assert asker.ask(a_request()).error_code == "llm_called_before"
        assert len(server.seen) == 1


class TestPrices:
    def test_are_amounts_per_million_tokens(self) -> None:
        prices = Prices.of({"input": "2.50", "cached": "0.25", "output": "10"})
        usage = TokenUsage(
            prompt_tokens=1000, completion_tokens=100, prompt_tokens_details=TokenDetails(cached_tokens=600)
        )
        assert prices.cost_micro(usage) == 400 * 2.5 + 600 * 0.25 + 100 * 10

    def test_count_cached_tokens_as_fresh_ones_without_a_price_for_them(self) -> None:
        assert Prices.of({"input": "2"}).cached_input == Decimal(2)

    def test_round_up(self) -> None:
        assert Prices.of({"input": "0.01"}).cost_micro(TokenUsage(prompt_tokens=1)) == 1

    @pytest.mark.parametrize("table", [{"in": "1"}, {"input": "a lot"}, {"input": "-1"}, {"output": "NaN"}])
    def test_are_refused_when_they_make_no_sense(self, table: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="price"):
            Prices.of(table)

    def test_bound_what_a_call_can_cost(self, asker: Asker, server: OpenAiServer) -> None:
        asker.ask(a_request(demo_photo(), demo_photo("sofa/1.jpg", position=1)))
        bound = PRICED.most_micro(
            text_bytes=sum(len(text.encode()) for text in server.seen[0].texts), photos=2, answer_tokens=2000
        )
        call = asker.calls[0]
        usage = TokenUsage(prompt_tokens=call.tokens_in, completion_tokens=call.tokens_out)
        assert PRICED.cost_micro(usage) < bound
