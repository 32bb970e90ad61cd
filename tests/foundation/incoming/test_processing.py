"""What becomes of a callback: handled in order, each once, tried again, given up, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from prometheus_client import REGISTRY
from pytest_django import Settings
from structlog.testing import capture_logs

from foundation import tasks
from foundation.incoming import Source, processing, sources
from foundation.incoming.errors import IncomingEventNotDead, IncomingEventPurged
from foundation.incoming.lifecycle import INCOMING_EVENT
from foundation.incoming.processing import (
    BACKOFF,
    LEASE,
    MAX_ATTEMPTS,
    due_subjects,
    process_again,
    process_event,
    process_next,
    purge_bodies,
)
from foundation.models import IncomingEvent
from tests.foundation.incoming.conftest import SOURCE, body_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 2, 10, tzinfo=UTC)


def store(event_id: str = "evt_1", *, subject: str = "po_1", minute: int = 0) -> IncomingEvent:
    return IncomingEvent.objects.create(
        source=SOURCE,
        event_id=event_id,
        subject_id=subject,
        occurred_at=NOW + timedelta(minutes=minute),
        received_at=NOW,
        due_at=NOW,
        body=body_of(event_id, subject),
    )


def run(subject: str = "po_1", *, now: datetime = NOW) -> int:
    done = 0
    while process_next(source=SOURCE, subject_id=subject, now=now):
        done += 1
    return done


def handle_by(handler: Callable[..., None]) -> None:
    known = sources._registry.pop(SOURCE)
    sources.register(Source(known.kind, known.provider, known.verifier, known.parse, handler))


def fail(event: Any, *, now: datetime) -> None:
    Session.objects.create(session_key=event.event_id, session_data="half", expire_date=now)
    raise OSError("LT12 is not known to the bank")


class TestProcess:
    def test_commits_effect_and_mark_together(self, handled: list[str]) -> None:
        event = store()
        assert process_event(event_id=event.id, now=NOW)
        event.refresh_from_db()
        assert (event.status, event.processed_at, event.due_at, event.attempts) == ("processed", NOW, None, 1)
        assert (handled, Session.objects.count()) == (["evt_1"], 1)

    def test_twice_handles_once(self, handled: list[str]) -> None:
        event = store()
        assert [process_event(event_id=event.id, now=NOW) for _ in range(3)] == [True, False, False]
        assert handled == ["evt_1"]

    def test_takes_the_events_of_a_subject_in_the_order_in_which_they_happened(
        self, handled: list[str]
    ) -> None:
        store("paid", minute=2)
        store("requested", minute=0)
        store("sent", minute=1)
        store("other", subject="po_2")
        assert run() == 3
        assert handled == ["requested", "sent", "paid"]

    def test_an_unknown_row_is_nothing_to_do(self) -> None:
        assert not process_event(event_id="0" * 26, now=NOW)

    def test_gives_the_handler_what_was_sent(self) -> None:
        seen: list[Any] = []
        handle_by(lambda event, *, now: seen.append((event, now)))
        row = store()
        run()
        event, now = seen[0]
        assert (event.id, event.event_id, event.body.reveal(), now) == (row.id, "evt_1", body_of(), NOW)
        assert "LT12" not in repr(event)


class TestFailedAttempt:
    def test_leaves_no_effect_and_is_tried_again_later(self, handled: list[str]) -> None:
        event = store()
        original = sources._registry[SOURCE].handle
        handle_by(fail)
        with capture_logs() as lines:
            assert run() == 0
        event.refresh_from_db()
        assert (event.status, event.attempts, event.last_error) == ("waiting", 1, "OSError")
        assert event.due_at == NOW + BACKOFF[0]
        assert not Session.objects.exists()
        assert "LT12" not in repr(lines)
        handle_by(original)
        assert run(now=NOW + BACKOFF[0] - timedelta(seconds=1)) == 0
        assert run(now=NOW + BACKOFF[0]) == 1
        assert handled == ["evt_1"]

    def test_holds_up_later_events_of_its_subject_and_no_others(self, handled: list[str]) -> None:
        store("first"), store("second", minute=1), store("other", subject="po_2")
        original = sources._registry[SOURCE].handle

        def fail_first(event: Any, *, now: datetime) -> None:
            if event.event_id == "first" and now == NOW:
                raise OSError
            original(event, now=now)

        handle_by(fail_first)
        assert (run(), run("po_2")) == (0, 1)
        assert run() == 0
        # Nobody looks at those behind it before its own time.
        assert due_subjects(now=NOW + BACKOFF[0] / 2) == []
        assert due_subjects(now=NOW + BACKOFF[0]) == [(SOURCE, "po_1")]
        assert run(now=NOW + BACKOFF[0]) == 2
        assert handled == ["other", "first", "second"]

    def test_after_the_last_one_gives_up_and_lets_the_others_pass(self, handled: list[str]) -> None:
        first, second = store("first"), store("second", minute=1)
        original = sources._registry[SOURCE].handle
        handle_by(
            lambda event, *, now: (
                fail(event, now=now) if event.event_id == "first" else original(event, now=now)
            )
        )
        labels = {"source": SOURCE}
        before = REGISTRY.get_sample_value("preloved_incoming_dead_total", labels) or 0.0
        now = NOW
        for wait in (*BACKOFF, timedelta(0)):
            run(now=now)
            now += wait
        first.refresh_from_db()
        assert (first.status, first.attempts, first.due_at) == ("dead", MAX_ATTEMPTS, None)
        assert REGISTRY.get_sample_value("preloved_incoming_dead_total", labels) == before + 1
        run(now=now)
        second.refresh_from_db()
        assert (second.status, handled) == ("processed", ["second"])

    def test_of_a_source_that_no_app_handles_is_named(self) -> None:
        event = store()
        sources._registry.clear()
        run()
        event.refresh_from_db()
        assert (event.status, event.last_error) == ("waiting", "NoSource")


class TestLease:
    def test_keeps_a_second_worker_from_an_event_in_hand(self, handled: list[str]) -> None:
        store()
        original = sources._registry[SOURCE].handle

        def while_it_runs(event: Any, *, now: datetime) -> None:
            assert not process_next(source=SOURCE, subject_id="po_1", now=now)
            original(event, now=now)

        handle_by(while_it_runs)
        assert run() == 1
        assert handled == ["evt_1"]

    def test_of_a_worker_that_died_ends_and_the_event_is_handled(self, handled: list[str]) -> None:
        event = store()
        IncomingEvent.objects.update(attempts=1, due_at=NOW + LEASE)
        assert run(now=NOW + LEASE - timedelta(seconds=1)) == 0
        assert run(now=NOW + LEASE) == 1
        event.refresh_from_db()
        assert (event.attempts, handled) == (2, ["evt_1"])

    def test_that_ran_out_leaves_the_slow_worker_without_a_say(self, handled: list[str]) -> None:
        event = store()
        slow = processing._claim(source=SOURCE, subject_id="po_1", now=NOW)
        assert slow is not None
        assert processing._claim(source=SOURCE, subject_id="po_1", now=NOW + LEASE) is not None
        assert not processing._handle(slow, NOW)
        processing._fail(slow, OSError(), NOW)
        event.refresh_from_db()
        assert (event.status, event.attempts, event.last_error, handled) == ("waiting", 2, "", [])

    def test_of_an_event_that_ends_every_worker_is_not_given_for_ever(self, handled: list[str]) -> None:
        event = store()
        IncomingEvent.objects.update(attempts=MAX_ATTEMPTS, due_at=NOW)
        run()
        event.refresh_from_db()
        assert (event.status, event.last_error, handled) == ("dead", "WorkerLost", [])


def kill(event: IncomingEvent) -> None:
    IncomingEvent.objects.filter(id=event.id).update(
        status="dead", attempts=MAX_ATTEMPTS, due_at=None, last_error="OSError"
    )


class TestProcessAgain:
    def test_gives_a_dead_event_its_attempts_back(self, handled: list[str]) -> None:
        event = store()
        kill(event)
        process_again(event_id=event.id, now=NOW)
        assert run() == 1
        assert handled == ["evt_1"]

    @pytest.mark.parametrize("status", ["waiting", "processed"])
    def test_of_another_one_is_refused(self, status: str) -> None:
        event = store()
        if status == "processed":
            run()
        with pytest.raises(IncomingEventNotDead) as raised:
            process_again(event_id=event.id, now=NOW)
        assert raised.value.code == "incoming_event_not_dead"

    def test_without_its_body_is_refused(self) -> None:
        event = store()
        kill(event)
        IncomingEvent.objects.update(body=None)
        with pytest.raises(IncomingEventPurged) as raised:
            process_again(event_id=event.id, now=NOW)
        assert raised.value.code == "incoming_event_purged"


class TestPurge:
    def test_forgets_bodies_in_time_but_never_of_what_still_waits(self, settings: Settings) -> None:
        settings.WEBHOOK_KEEP_DAYS = 3
        done, dead, waiting = store("done"), store("dead", subject="b"), store("waiting", subject="c")
        run()
        kill(dead)
        assert purge_bodies(now=NOW + timedelta(days=3)) == 0
        assert purge_bodies(now=NOW + timedelta(days=3, seconds=1)) == 2
        left = dict(IncomingEvent.objects.values_list("event_id", "body"))
        assert left["done"] is None
        assert left["dead"] is None
        waiting.refresh_from_db()
        assert waiting.body is not None
        assert waiting.body.reveal()
        assert done.id


class TestTasks:
    def test_ring_and_sweep_handle_what_is_due(self, handled: list[str]) -> None:
        first = store("first")
        tasks.process_incoming_event(first.id)
        store("second", subject="po_2")
        store("third", subject="po_2", minute=1)
        tasks.sweep_incoming_events()
        tasks.purge_incoming_bodies()
        assert handled == ["first", "second", "third"]


class TestRotateEncryptionKeys:
    def test_covers_the_stored_bodies(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        event = store()
        settings.ENCRYPTION_KEYS = {"next": b"n" * 32, **settings.ENCRYPTION_KEYS}
        with pytest.raises(CommandError, match="1 values are under former keys"):
            call_command("rotate_encryption_keys", "--check")
        call_command("rotate_encryption_keys", "--batch", "1")
        out = capsys.readouterr().out
        assert "foundation_incomingevent.body: 1 rows under key test" in out
        assert "foundation_incomingevent.body: 1 changed, 0 overtaken" in out
        del settings.ENCRYPTION_KEYS["test"]
        call_command("rotate_encryption_keys", "--check")
        event.refresh_from_db()
        assert event.body is not None
        assert event.body.reveal() == body_of()


class TestLifecycle:
    def test_is_what_the_services_follow(self) -> None:
        rows = {(row.source, row.verb, row.target) for row in INCOMING_EVENT.transitions}
        assert rows == {
            ("waiting", "process", "processed"),
            ("waiting", "give_up", "dead"),
            ("dead", "process_again", "waiting"),
        }
