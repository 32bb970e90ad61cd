"""The outermost transaction: retried when the server asks for it, never after its commit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from foundation import db, ids


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "FIRST_PAUSE_S", 0.001)


def a_row() -> None:
    Session.objects.create(session_key=ids.new_id(), session_data="", expire_date=timezone.now())


def failing(times: int, error: Exception) -> tuple[list[int], object]:
    """A service that writes a row and fails so many times; and the rows that each try found."""
    found: list[int] = []

    @db.atomic_retry
    def service() -> str:
        found.append(Session.objects.count())
        a_row()
        if len(found) <= times:
            raise error
        return "done"

    return found, service


@pytest.mark.django_db(transaction=True)
class TestOutermostTransaction:
    @pytest.mark.parametrize("code", [1205, 1213, 1020])
    def test_is_run_again_from_the_start(self, code: int) -> None:
        found, service = failing(2, OperationalError(code, "try again"))
        assert service() == "done"  # type: ignore[operator]
        assert found == [0, 0, 0]
        assert Session.objects.count() == 1

    def test_gives_up_after_some_tries(self) -> None:
        found, service = failing(99, OperationalError(1213, "deadlock"))
        with pytest.raises(OperationalError):
            service()  # type: ignore[operator]
        assert len(found) == db.ATTEMPTS
        assert Session.objects.count() == 0

    @pytest.mark.parametrize(
        "error", [OperationalError(2006, "gone"), OperationalError("locked"), KeyError("k")]
    )
    def test_is_not_run_again_for_other_errors(self, error: Exception) -> None:
        found, service = failing(99, error)
        with pytest.raises(type(error)):
            service()  # type: ignore[operator]
        assert len(found) == 1

    def test_is_not_run_again_once_it_is_committed(self) -> None:
        runs: list[int] = []

        @db.atomic_retry
        def service() -> None:
            runs.append(1)
            a_row()
            transaction.on_commit(deadlock_of_a_callback)

        def deadlock_of_a_callback() -> None:
            raise OperationalError(1213, "of something else")

        with pytest.raises(OperationalError):
            service()
        assert len(runs) == Session.objects.count() == 1

    def test_inside_another_leaves_the_retry_to_it(self) -> None:
        found, service = failing(1, OperationalError(1213, "deadlock"))

        @db.atomic_retry
        def outer() -> None:
            a_row()
            service()  # type: ignore[operator]

        outer()
        assert found == [1, 1]
        assert Session.objects.count() == 2

    def test_knows_the_code_of_a_wrapped_error(self) -> None:
        error = OperationalError()
        error.__cause__ = Exception(1213, "deadlock")
        assert db.is_retryable(error)
        assert not db.is_retryable(OperationalError())


@pytest.mark.needs_server
@pytest.mark.django_db(transaction=True)
class TestDeadlockOfTwo:
    def test_ends_with_both_done(self) -> None:
        keys = sorted(ids.new_id() for _ in range(2))
        for key in keys:
            Session.objects.create(session_key=key, session_data="0", expire_date=timezone.now())
        gate = threading.Barrier(2)
        tries: list[str] = []

        def cross(first: str, second: str) -> None:
            @db.atomic_retry
            def service() -> None:
                tries.append(first)
                row = Session.objects.select_for_update().get(pk=first)
                if len(tries) <= 2:
                    gate.wait(10)
                other = Session.objects.select_for_update().get(pk=second)
                for session in (row, other):
                    session.session_data = str(int(session.session_data) + 1)
                    session.save()

            try:
                service()
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(cross, *keys), pool.submit(cross, *reversed(keys))]:
                done.result(20)
        assert len(tries) == 3
        assert set(Session.objects.values_list("session_data", flat=True)) == {"2"}
