from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from foundation import clock
from foundation.models import CLOCK_FURTHEST, SandboxClock

TWO_DAYS = timedelta(days=2)


def set_ahead(ahead: timedelta, **others: Any) -> SandboxClock:
    return SandboxClock.objects.create(
        **{"ahead": ahead, "target": ahead, "advanced_at": timezone.now(), **others}
    )


def is_ahead_by(ahead: timedelta) -> bool:
    before = timezone.now()
    return before + ahead <= clock.now() <= timezone.now() + ahead


class TestNow:
    @pytest.mark.any_database
    def test_is_real_time_without_a_sandbox(
        self, db: None, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        set_ahead(TWO_DAYS)
        clock.learn(TWO_DAYS)
        with django_assert_num_queries(0):
            assert is_ahead_by(timedelta(0))

    @pytest.mark.usefixtures("db", "sandbox")
    def test_is_ahead_in_a_sandbox_and_asks_once_in_a_while(
        self, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "READ_EVERY_S", 60.0)
        with django_assert_num_queries(1):
            assert is_ahead_by(timedelta(0))
            set_known = clock.now()
        set_ahead(TWO_DAYS)
        assert clock.now() - set_known < TWO_DAYS  # known for a minute, in this test
        clock.forget()
        assert is_ahead_by(TWO_DAYS)
        assert clock.real_now() < clock.now() - timedelta(days=1)

    @pytest.mark.usefixtures("db", "sandbox")
    def test_never_goes_back_in_a_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "READ_EVERY_S", 0.0)
        set_ahead(timedelta(hours=1))
        clock.learn(TWO_DAYS)  # what another thread knows that read later
        assert is_ahead_by(TWO_DAYS)

    @pytest.mark.usefixtures("db", "sandbox")
    def test_answers_in_a_transaction_that_failed(self) -> None:
        with transaction.atomic():
            with pytest.raises(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM no_such_table")
            transaction.set_rollback(True)
            assert is_ahead_by(timedelta(0))


@pytest.mark.django_db
class TestRow:
    @pytest.mark.parametrize(
        ("constraint", "ahead", "others"),
        [
            ("sandbox_clock_is_one", timedelta(0), {"id": 2}),
            ("sandbox_clock_goes_forward", -TWO_DAYS, {}),
            ("sandbox_clock_goes_forward", TWO_DAYS, {"target": timedelta(days=1), "is_settled": False}),
            (
                "sandbox_clock_settled_at_target",
                timedelta(0),
                {"target": TWO_DAYS, "is_settled": True},
            ),
            (
                "sandbox_clock_stays_near",
                timedelta(0),
                {"target": CLOCK_FURTHEST + timedelta(seconds=1), "is_settled": False},
            ),
        ],
    )
    def test_is_refused(self, constraint: str, ahead: timedelta, others: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            set_ahead(ahead, **others)
