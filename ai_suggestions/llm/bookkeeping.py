"""Budget, call records and shared state in Django's database and cache."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta

import structlog
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable

from ai_suggestions import metrics
from ai_suggestions.llm.budget import Refusal, Reservation
from ai_suggestions.llm.calls import CallRecord
from ai_suggestions.llm.state import Value
from ai_suggestions.llm.tables import LlmCall, LlmDay, LlmReservation
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

_NAME_LENGTH = 255
# Two days are all that a reservation is asked for; a week is kept for whoever looks into one.
KEEP_RESERVATIONS = timedelta(days=7)
# A year and a month, to compare a month with last year's.
KEEP_CALLS = timedelta(days=396)


class StateInCache:
    """``SharedState`` in Django's cache: shared through Redis, or a worker's own without it.

    A cache that does not answer forgets (``foundation.cache``), so the circuit counts as closed. Those with
    different prefixes know nothing of each other.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def _key(self, key: str) -> str:
        """Names of models may hold what cache keys may not."""
        return "llm:" + hashlib.sha256(f"{self._prefix}{key}".encode()).hexdigest()[:40]

    @staticmethod
    def _life(life_s: float) -> int:
        return max(1, math.ceil(life_s))

    def get(self, key: str) -> Value | None:
        found: Value | None = cache.get(self._key(key))
        return found

    def put(self, key: str, value: Value, *, life_s: float) -> None:
        cache.set(self._key(key), value, self._life(life_s))

    def add(self, key: str, value: Value, *, life_s: float) -> bool:
        return bool(cache.add(self._key(key), value, self._life(life_s)))

    def increment(self, key: str, *, life_s: float) -> int:
        name = self._key(key)
        cache.add(name, 0, self._life(life_s))
        try:
            return int(cache.incr(name))
        except ValueError:
            # It ran out between the two.
            cache.set(name, 1, self._life(life_s))
            return 1

    def drop(self, key: str) -> None:
        cache.delete(self._key(key))


class BudgetInDatabase:
    """``Budget`` in the database. ``limit_micro`` None: no limit.

    Who wins a race: the unique constraint for the same question, and for the day a compare-and-set of its
    row. Both steps lock in the same order (reservation, day).
    """

    def __init__(self, *, limit_micro: int | None) -> None:
        self._limit_micro = limit_micro

    @atomic_retry
    def reserve(
        self, *, request: str, day: date, amount_micro: int, share: float = 1.0
    ) -> Reservation | Refusal:
        """See ``Budget``."""
        LlmDay.objects.get_or_create(day=day)
        if LlmReservation.objects.filter(request=request, day__in=(day, day - timedelta(days=1))).exists():
            return Refusal.MADE_BEFORE
        try:
            with transaction.atomic():
                kept = LlmReservation.objects.create(request=request, day=day, amount_micro=amount_micro)
        except IntegrityError:
            return Refusal.MADE_BEFORE
        if not self._within_limits(day, amount_micro, share).update(**self._added(amount_micro)):
            kept.delete()
            return Refusal.SPENT
        return Reservation(request, day, amount_micro)

    @atomic_retry
    def settle(self, reservation: Reservation, *, cost_micro: int) -> None:
        """See ``Budget``."""
        if self._open(reservation).update(settled=True, amount_micro=cost_micro):
            self._commit(reservation.day, cost_micro - reservation.amount_micro)

    @atomic_retry
    def release(self, reservation: Reservation) -> None:
        """See ``Budget``."""
        if self._open(reservation).delete()[0]:
            self._commit(reservation.day, -reservation.amount_micro)

    @staticmethod
    def _open(reservation: Reservation) -> QuerySet[LlmReservation]:
        return LlmReservation.objects.filter(request=reservation.request, day=reservation.day, settled=False)

    def _commit(self, day: date, amount_micro: int) -> None:
        LlmDay.objects.filter(day=day).update(**self._added(amount_micro))

    def _within_limits(self, day: date, amount_micro: int, share: float) -> QuerySet[LlmDay]:
        """The day's row, if the amount may be added to it."""
        today = LlmDay.objects.filter(day=day)
        if self._limit_micro is None:
            return today
        return today.filter(committed_micro__lte=int(self._limit_micro * share) - amount_micro)

    def _added(self, amount_micro: int) -> dict[str, Combinable]:
        return {"committed_micro": F("committed_micro") + amount_micro}


class ShadowBudgetInDatabase(BudgetInDatabase):
    """The same budget, of which shadows may spend ``cap_micro`` a day together (None: all of it).

    A shadow's question is another one than the seller's run's, or it would keep that from being asked.
    """

    def __init__(self, *, limit_micro: int | None, cap_micro: int | None) -> None:
        super().__init__(limit_micro=limit_micro)
        self._cap_micro = cap_micro

    def reserve(
        self, *, request: str, day: date, amount_micro: int, share: float = 1.0
    ) -> Reservation | Refusal:
        """See ``Budget``."""
        mine = hashlib.sha256(f"shadow {request}".encode()).hexdigest()
        return super().reserve(request=mine, day=day, amount_micro=amount_micro, share=share)

    def _within_limits(self, day: date, amount_micro: int, share: float) -> QuerySet[LlmDay]:
        today = super()._within_limits(day, amount_micro, share)
        if self._cap_micro is None:
            return today
        return today.filter(shadow_micro__lte=self._cap_micro - amount_micro)

    def _added(self, amount_micro: int) -> dict[str, Combinable]:
        return super()._added(amount_micro) | {"shadow_micro": F("shadow_micro") + amount_micro}


def forget_old_calls(*, now: datetime) -> int:
    """Delete reservations and calls that nobody needs any more. Returns how many rows; safe to call again."""
    reservations, _ = LlmReservation.objects.filter(day__lt=now.date() - KEEP_RESERVATIONS).delete()
    calls, _ = LlmCall.objects.filter(called_at__lt=now - KEEP_CALLS).delete()
    return reservations + calls


class CallBook:
    """A ``Recorder`` that keeps calls as rows, figures and log lines."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def __call__(self, record: CallRecord) -> None:
        """Keep a record."""
        metrics.LLM_CALLS.labels(record.outcome, record.mode).inc()
        metrics.LLM_SECONDS.observe(record.latency_ms / 1000)
        metrics.LLM_TOKENS.labels("in").inc(record.tokens_in - record.tokens_cached)
        metrics.LLM_TOKENS.labels("cached").inc(record.tokens_cached)
        metrics.LLM_TOKENS.labels("out").inc(record.tokens_out)
        metrics.LLM_COST.inc(record.cost_micro / 1_000_000)
        logger.info(
            "llm_called",
            request=record.request,
            endpoint=record.endpoint,
            model=record.model,
            outcome=record.outcome,
            status=record.status,
            latency_ms=record.latency_ms,
            cost_micro=record.cost_micro,
        )
        values = asdict(record) | {
            "endpoint": record.endpoint[:_NAME_LENGTH],
            "model": record.model[:_NAME_LENGTH],
            # Not ours: whatever the server calls it.
            "served_model": (record.served_model or "")[:_NAME_LENGTH].replace("\0", ""),
        }
        with transaction.atomic():
            LlmCall.objects.create(called_at=self._clock(), **values)
