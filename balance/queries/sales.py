"""What sales credited to sellers and what was taken back again, streamed: for whoever reports about sellers.

Debits of sellers are read account by account through their index, in pages, so that memory does not grow with
the ledger and the time to read a seller does not grow with the number of the others. What is rare is read at
once, by its event.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Sum, When

from balance.chart import PLATFORM, Account, AccountKind, Event
from balance.models import LedgerAccount, Posting, Transfer
from balance.moments import entry_number, instant
from foundation.money import Money

ACCOUNTS_AT_A_TIME = 100  # fewer than rows at a time, but for sellers of very many things
ROWS_AT_A_TIME = 5_000
SALES_AT_A_TIME = 500


class SalePart(StrEnum):
    """What a line changes of a sale."""

    CREDITED = "credited"  # became the seller's, what the seller gave to a charity included
    KEPT = "kept"  # kept back by the platform: a commission
    TAKEN_BACK = "taken_back"  # refunds, chargebacks; negative when it was given back again


@dataclass(frozen=True, slots=True)
class SaleLine:
    """A line of a sale. ``amount`` is positive but for what undoes an earlier line of the same part."""

    member_id: str
    reference: str
    part: SalePart
    amount: Money
    recorded_at: datetime
    posting_id: str


@dataclass(frozen=True, slots=True)
class _Source:
    """Lines of these events on one side of members' accounts of one kind."""

    kind: AccountKind
    side: str
    sign: int
    events: tuple[Event, ...]
    is_first: bool  # makes sales; the others change them


_SOURCES = (
    _Source(AccountKind.PENDING, "debit", 1, (Event.SALE_COMPLETED,), True),
    # A chargeback that is won may leave another one of the same payment to the seller.
    _Source(
        AccountKind.AVAILABLE,
        "debit",
        1,
        (Event.SALE_REFUNDED, Event.CHARGEBACK, Event.CHARGEBACK_WON),
        False,
    ),
    _Source(AccountKind.AVAILABLE, "credit", -1, (Event.CHARGEBACK_WON,), False),
)
_EVENTS = sorted({event.value for source in _SOURCES for event in source.events})
_CHANGING = sorted({event.value for source in _SOURCES if not source.is_first for event in source.events})
_PLATFORM = f"{PLATFORM}:"  # how ids of its accounts begin
_Key = tuple[str, str, int]


def iter_sale_lines(
    *, since: datetime, until: datetime, changes_until: datetime, member_ids: Collection[str] | None = None
) -> Iterator[SaleLine]:
    """Lines of sales credited from ``since`` and before ``until``, and what changed sales since then.

    What changed sales (refunds, chargebacks, and sales undone by staff) is read from ``since`` and before
    ``changes_until``, also that of sales credited earlier: the caller knows by their reference. In order of
    member, currency and time; of these members only, if named.
    """
    rare = _rare(since, changes_until, member_ids)
    windows = {
        True: (entry_number(since), entry_number(until)),
        False: (entry_number(since), entry_number(changes_until)),
    }
    for owners in _owners(member_ids):
        streams = [
            _rows(source, owners, *windows[source.is_first]) for source in _SOURCES if source.side == "debit"
        ]
        streams.append(_rare_of(rare, owners))
        for _, line in heapq.merge(*streams, key=lambda found: found[0]):
            yield line


def list_changed_sales_between(since: datetime, until: datetime) -> list[tuple[str, datetime, datetime]]:
    """What changed sales in this time (recorded), each as (seller's id, sale credited at, changed at)."""
    undone = Q(event=Event.CORRECTION.value, reverses__event__in=_EVENTS)
    changes = Posting.objects.filter(
        undone | Q(event__in=_CHANGING), recorded_at__gte=since, recorded_at__lt=until
    ).order_by("recorded_at")
    changed_at = dict(changes.values_list("reference", "recorded_at"))  # the latest of each sale
    found, references = list[tuple[str, datetime, datetime]](), sorted(changed_at)
    for start in range(0, len(references), SALES_AT_A_TIME):
        sales = Transfer.objects.filter(
            posting__event=Event.SALE_COMPLETED.value,
            posting__reference__in=references[start : start + SALES_AT_A_TIME],
            debit_account__kind=AccountKind.PENDING.value,
        )
        columns = ("debit_account_id", "posting__reference", "posting__recorded_at")
        for account_id, reference, credited_at in sales.values_list(*columns).distinct():
            found.append((Account.from_id(account_id).owner, credited_at, changed_at[reference]))
    return sorted(found)


def list_sellers_between(since: datetime, until: datetime) -> list[str]:
    """Ids of members whose sales were credited or changed in this time (recorded), in order."""
    rows = Transfer.objects.filter(
        posting__recorded_at__gte=since,
        posting__recorded_at__lt=until,
        posting__event__in=[*_EVENTS, Event.CORRECTION.value],
    )
    accounts = {
        account_id
        for pair in rows.values_list("debit_account_id", "credit_account_id")
        for account_id in pair
    }
    found = (Account.from_id(account_id) for account_id in accounts)
    return sorted({one.owner for one in found if one.kind in (AccountKind.PENDING, AccountKind.AVAILABLE)})


def _owners(member_ids: Collection[str] | None) -> Iterator[list[Account]]:
    """Accounts that sales pass through, some at a time; whole members are never cut in two."""
    rows = LedgerAccount.objects.filter(kind=AccountKind.PENDING.value).order_by("id")
    if member_ids is not None:
        rows = rows.filter(member_id__in=member_ids)
    after, left = "", list[Account]()
    while ids := list(rows.filter(id__gt=after).values_list("id", flat=True)[:ACCOUNTS_AT_A_TIME]):
        after = ids[-1]
        accounts = left + [Account.from_id(id_) for id_ in ids]
        # The last one may have more currencies on the next page.
        left = [one for one in accounts if one.owner == accounts[-1].owner]
        if whole := accounts[: len(accounts) - len(left)]:
            yield whole
    if left:
        yield left


def _rows(
    source: _Source, owners: Sequence[Account], start: int, end: int
) -> Iterator[tuple[_Key, SaleLine]]:
    ids = [Account(one.owner, source.kind, one.currency).id for one in owners]
    rows: QuerySet[Transfer, Any] = Transfer.objects.filter(
        posting__event__in=[event.value for event in source.events]
    ).order_by("debit_account_id", "debit_entry")
    columns = rows.values_list(
        *("debit_account_id", "debit_entry", "credit_account_id", "currency", "amount_minor"),
        *("posting_id", "posting__reference"),
    )
    window = Q(debit_account_id__in=ids, debit_entry__gte=start, debit_entry__lt=end)
    while page := list(columns.filter(window)[:ROWS_AT_A_TIME]):
        for account_id, entry, counterpart, currency, minor, posting_id, reference in page:
            owner = account_id.partition(":")[0]
            yield (
                (owner, currency, entry),
                SaleLine(
                    member_id=owner,
                    reference=reference,
                    part=_part(source, counterpart),
                    amount=Money(source.sign * minor, currency),
                    recorded_at=instant(entry),
                    posting_id=posting_id,
                ),
            )
        if len(page) < ROWS_AT_A_TIME:
            return
        last, entry = page[-1][:2]
        ids = [id_ for id_ in ids if id_ > last]
        window = Q(debit_account_id=last, debit_entry__gt=entry, debit_entry__lt=end) | Q(
            debit_account_id__in=ids, debit_entry__gte=start, debit_entry__lt=end
        )


def _part(source: _Source, counterpart: str) -> SalePart:
    if not source.is_first:
        return SalePart.TAKEN_BACK
    return SalePart.KEPT if counterpart.startswith(_PLATFORM) else SalePart.CREDITED


def _rare(since: datetime, until: datetime, member_ids: Collection[str] | None) -> dict[str, list[SaleLine]]:
    """By member, what there is little of in this time, read at once: by its event for everybody, since most
    of what is credited to an account is no such thing; of these members only, if named.
    """
    lines = defaultdict[str, list[SaleLine]](list)
    for line in (*_regained(since, until, member_ids), *_undone(since, until, member_ids)):
        lines[line.member_id].append(line)
    return lines


def _regained(since: datetime, until: datetime, member_ids: Collection[str] | None) -> Iterator[SaleLine]:
    """What buyers' banks gave back to sellers."""
    (source,) = (source for source in _SOURCES if source.side == "credit")
    credited = Q(credit_account__kind=source.kind.value)
    if member_ids is not None:
        # Spelled out for the index: of a member's credits only those of this time are looked at.
        credited &= Q(credit_account__member_id__in=member_ids)
        credited &= Q(credit_entry__gte=entry_number(since), credit_entry__lt=entry_number(until))
    rows = Transfer.objects.filter(
        credited,
        posting__event__in=[event.value for event in source.events],
        posting__recorded_at__gte=since,
        posting__recorded_at__lt=until,
    ).order_by("posting__recorded_at", "id")
    for credit, debit, currency, minor, posting_id, reference, at in rows.values_list(
        *("credit_account_id", "debit_account_id", "currency", "amount_minor"),
        *("posting_id", "posting__reference", "posting__recorded_at"),
    ):
        amount = Money(source.sign * minor, currency)
        owner = Account.from_id(credit).owner
        yield SaleLine(owner, reference, _part(source, debit), amount, at, posting_id)


def _undone(since: datetime, until: datetime, member_ids: Collection[str] | None) -> Iterator[SaleLine]:
    """The lines that staff undid."""
    rows = Transfer.objects.filter(
        posting__event=Event.CORRECTION.value,
        posting__reverses__isnull=False,
        posting__reverses__event__in=_EVENTS,
        posting__recorded_at__gte=since,
        posting__recorded_at__lt=until,
    )
    if member_ids is not None:
        owned = Q(debit_account__member_id__in=member_ids) | Q(credit_account__member_id__in=member_ids)
        rows = rows.filter(owned)
    columns = rows.annotate(event=F("posting__reverses__event"), at=F("posting__recorded_at")).order_by(
        "posting__recorded_at", "id"
    )
    for debit, credit, currency, minor, posting_id, reference, event, at in columns.values_list(
        *("debit_account_id", "credit_account_id", "currency", "amount_minor"),
        *("posting_id", "posting__reference", "event", "at"),
    ):
        for source in _SOURCES:
            # Mirrored: what was debited is credited.
            own, other = (credit, debit) if source.side == "debit" else (debit, credit)
            account = Account.from_id(own)
            if event in source.events and account.kind is source.kind:
                amount = Money(-source.sign * minor, currency)
                yield SaleLine(account.owner, reference, _part(source, other), amount, at, posting_id)


def _rare_of(rare: dict[str, list[SaleLine]], owners: Sequence[Account]) -> Iterator[tuple[_Key, SaleLine]]:
    found = [
        ((line.member_id, line.amount.currency, entry_number(line.recorded_at)), line)
        for owner in {one.owner for one in owners}
        for line in rare.get(owner, ())
    ]
    yield from sorted(found, key=lambda one: one[0])


def sale_totals(*, since: datetime, until: datetime, changes_until: datetime) -> dict[str, tuple[int, int]]:
    """By currency, what ``iter_sale_lines`` adds up to for sales of this time: (net of what was taken back,
    kept by the platform), in minor units. Added up by the database, by another path than the lines are read.
    """
    net, kept = Counter[str](), Counter[str]()
    made = Posting.objects.filter(
        event=Event.SALE_COMPLETED.value,
        recorded_at__gte=since,
        recorded_at__lt=until,
        reference=OuterRef("posting__reference"),
    )
    for source in _SOURCES:
        # The mirror of a line stands on its other side.
        other = "credit" if source.side == "debit" else "debit"
        events = [event.value for event in source.events]
        for side, events_of, sign in (
            (source.side, Q(posting__event__in=events), 1),
            (other, Q(posting__event=Event.CORRECTION.value, posting__reverses__event__in=events), -1),
        ):
            rows = Transfer.objects.filter(
                events_of,
                posting__recorded_at__gte=since,
                posting__recorded_at__lt=until if source.is_first and sign > 0 else changes_until,
                # The kind is in the account's id: one look-up less for each line of the year.
                **{f"{side}_account__id__contains": f":{source.kind.value}:"},
            )
            if not (source.is_first and sign > 0):
                # Not EXISTS, which MariaDB turns into a table of every sale's reference; changes are few.
                rows = rows.annotate(sale=Subquery(made.values("id")[:1])).filter(sale__isnull=False)
            counterpart = "credit" if side == "debit" else "debit"
            weight = sign if source.is_first else -sign * source.sign
            for currency, is_platforms, minor in _sums(rows, f"{counterpart}_account__id"):
                if not source.is_first or not is_platforms:
                    net[currency] += weight * minor
                else:
                    kept[currency] += sign * minor
    return {currency: (net[currency], kept[currency]) for currency in sorted(net.keys() | kept.keys())}


def _sums(rows: QuerySet[Transfer, Any], counterpart: str) -> list[tuple[str, bool, int]]:
    is_platforms = Case(When(**{f"{counterpart}__startswith": _PLATFORM}, then=True), default=False)
    summed = rows.order_by().annotate(is_platforms=is_platforms).values_list("currency", "is_platforms")
    return [
        (currency, bool(own), int(minor)) for currency, own, minor in summed.annotate(Sum("amount_minor"))
    ]
