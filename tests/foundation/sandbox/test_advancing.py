from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from foundation import clock, metrics
from foundation.models import SandboxClock
from foundation.sandbox import Sweeper, advancing, sweepers
from foundation.sandbox.errors import SandboxClockRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]

HOUR = timedelta(hours=1)


class Diary:
    """Deadlines of an app: each is done once, and may bring about others some time later."""

    def __init__(self) -> None:
        self.begins_at = timezone.now()
        self.due: dict[datetime, str] = {}
        self.done: list[tuple[str, float]] = []
        self.brings_about: dict[str, tuple[str, timedelta]] = {}

    def note(self, what: str, after: timedelta) -> None:
        self.due[self.begins_at + after] = what

    def sweep(self, *, now: datetime) -> int:
        due = [at for at in sorted(self.due) if at <= now]
        for at in due:
            what = self.due.pop(at)
            self.done.append((what, round((now - self.begins_at) / HOUR, 1)))
            if what in self.brings_about:
                later, after = self.brings_about[what]
                self.due[now + after] = later
        return len(due)

    def next_due(self, *, after: datetime) -> datetime | None:
        return min((at for at in self.due if at > after), default=None)


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    monkeypatch.setattr(sweepers, "_registry", {})
    diary = Diary()
    sweepers.register(Sweeper("tests.diary", sweep=diary.sweep, next_due=diary.next_due))
    return diary


def advance(by: timedelta) -> advancing.ClockFacts:
    advancing.set_target(by=by, asked_by="somebody")
    advancing.advance(seconds=20)
    return advancing.get_clock()


class TestAdvance:
    def test_stops_at_each_deadline_in_the_order_of_time(self, diary: Diary) -> None:
        diary.note("expire", 48 * HOUR)
        diary.note("remind", 24 * HOUR)
        diary.note("later", 72 * HOUR)
        facts = advance(50 * HOUR)
        assert diary.done == [("remind", 24.0), ("expire", 48.0)]
        assert (facts.ahead, facts.advancing_to, facts.done) == (50 * HOUR, None, {"tests.diary": 2})
        assert diary.begins_at + 50 * HOUR <= clock.now() < diary.begins_at + 51 * HOUR
        assert metrics.CLOCK_AHEAD_SECONDS._value.get() == 50 * 3600

    def test_does_what_a_deadline_brings_about_on_the_way(self, diary: Diary) -> None:
        diary.note("deliver", 1 * HOUR)
        diary.brings_about = {"deliver": ("complete", 48 * HOUR), "complete": ("pay", timedelta(0))}
        advance(50 * HOUR)
        assert diary.done == [("deliver", 1.0), ("complete", 49.0), ("pay", 49.0)]

    def test_asks_again_as_of_the_same_instant(self, diary: Diary) -> None:
        read_until: list[datetime] = []

        def read_the_rest(*, now: datetime) -> int:
            if now in read_until:
                return 0
            read_until.append(now)
            return 1

        sweepers.register(Sweeper("tests.reader", sweep=read_the_rest))
        assert advance(2 * HOUR).done == {"tests.reader": 2}  # before it moves, and where it arrives

    def test_does_what_was_due_before_it_moves(self, diary: Diary) -> None:
        diary.note("overdue", -1 * HOUR)
        advance(5 * HOUR)
        assert diary.done == [("overdue", 0.0)]

    def test_tells_of_the_last_time_only(self, diary: Diary) -> None:
        diary.note("first", 1 * HOUR)
        advance(2 * HOUR)
        assert advance(2 * HOUR).done == {}

    def test_is_held_up_by_no_sweeper_that_fails_or_never_ends(self, diary: Diary) -> None:
        def broken(*, now: datetime) -> int:
            raise LookupError

        sweepers.register(Sweeper("tests.broken", sweep=broken))
        sweepers.register(Sweeper("tests.restless", sweep=lambda now: 1))
        diary.note("expire", 1 * HOUR)
        facts = advance(2 * HOUR)
        assert (diary.done, facts.failed, facts.ahead) == ([("expire", 1.0)], ("tests.broken",), 2 * HOUR)

    def test_goes_on_after_the_time_was_up(self, diary: Diary) -> None:
        diary.note("expire", 1 * HOUR)
        advancing.set_target(by=2 * HOUR, asked_by="somebody")
        advancing.advance(seconds=0)
        assert diary.done == []
        assert advancing.get_clock().advancing_to is not None
        advancing.advance(seconds=20)
        assert (diary.done, advancing.get_clock().advancing_to) == ([("expire", 1.0)], None)

    def test_is_left_to_who_has_begun_until_the_lease_ends(self, diary: Diary) -> None:
        advancing.set_target(by=1 * HOUR, asked_by="somebody")
        row = SandboxClock.objects.filter(id=1)
        row.update(owner="A" * 26, lease_until=timezone.now() + HOUR)
        advancing.advance(seconds=1)
        assert advancing.get_clock().ahead == timedelta(0)
        row.update(lease_until=timezone.now() - timedelta(seconds=1))
        advancing.advance(seconds=20)
        assert advancing.get_clock().ahead == 1 * HOUR

    def test_goes_as_far_as_the_furthest_that_was_asked_for(self, diary: Diary) -> None:
        for hours in (1, 3, 2):
            advancing.set_target(by=hours * HOUR, asked_by="somebody")
        advancing.advance(seconds=20)
        assert advancing.get_clock().ahead == 3 * HOUR


@pytest.fixture
def far_ahead() -> None:
    ahead = timedelta(days=3650)
    SandboxClock.objects.create(ahead=ahead, target=ahead, advanced_at=timezone.now())


class TestTarget:
    @pytest.mark.parametrize(
        ("by", "code"),
        [
            (timedelta(0), "goes_only_forward"),
            (timedelta(days=-1), "goes_only_forward"),
            (timedelta(days=366, seconds=1), "too_far_at_once"),
            (timedelta(days=11), "too_far_in_all"),
        ],
    )
    @pytest.mark.usefixtures("far_ahead")
    def test_is_to_come_and_within_reach(self, by: timedelta, code: str) -> None:
        with pytest.raises(SandboxClockRefused) as refused:
            advancing.set_target(by=by, asked_by="somebody")
        assert [problem.code for problem in refused.value.errors] == [code]
        assert advancing.get_clock().ahead == timedelta(days=3650)


class TestRegister:
    def test_takes_a_name_once(self, diary: Diary) -> None:
        with pytest.raises(ValueError, match=r"tests\.diary"):
            sweepers.register(Sweeper("tests.diary", sweep=diary.sweep))
