"""Settlement files: imported whole and once, each line compared with the ledger, payout and fees posted.

A line settles the posting whose key or reference is the line's ``reference``, or whose reference is
``provider:provider_id``, if its event is one that lines of this type settle. Of several the one with the
line's amount is taken first. A transfer's posting is known by its key, which follows from what the bank was
told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog
from django.db import transaction
from django.db.models import Q

from balance import metrics
from balance.chart import Event, of_platform
from balance.errors import SettlementCaseEnded, SettlementCaseNotFound, SettlementFileInvalid
from balance.lifecycle import IMPORT, SETTLEMENT_CASE, STAFF, SettlementCaseStatus
from balance.models import Posting, SettlementCase, SettlementFile, SettlementLine, Transfer
from balance.queries.transfers import moved_by, payout_keys, posting_keys
from balance.services.settling import post_fees, post_payout
from balance.settlements import (
    CARDS,
    PAYOUT,
    PAYOUT_RECEIVED,
    TRANSFERS,
    TYPES,
    Book,
    Settlement,
    read_settlement,
)
from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from foundation.lifecycle import UnknownTransition

logger = structlog.get_logger(__name__)

CHUNK = 500
_BY = "provider:"  # how postings name a provider as their actor
_S = SettlementCaseStatus
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``replayed``: the very file was imported before, and nothing was done."""

    file_id: str
    lines: int
    cases: dict[str, int]
    replayed: bool = False


def import_settlement(*, provider: str, name: str, content: bytes, actor: str, now: datetime) -> Imported:
    """Import a file whole or not at all. ``actor`` is ``staff:…`` or ``system``.

    Raises SettlementFileInvalid, whose ``errors`` name the lines.
    """
    settlement = read_settlement(provider, content, now=now)
    digest = hashlib.sha256(content).hexdigest()
    return _import(provider, name[:200], digest, settlement, actor=actor, now=now)


@atomic_retry
def _import(
    provider: str, name: str, digest: str, settlement: Settlement, *, actor: str, now: datetime
) -> Imported:
    problems = _known_lines(provider, settlement)
    # Looked up after the lines: another import of this file may have ended in between.
    if (had := SettlementFile.objects.filter(provider=provider, sha256=digest).first()) is not None:
        return Imported(had.id, had.lines, {}, replayed=True)
    if problems:
        raise SettlementFileInvalid(f"{problems[0].detail} Nothing was imported.", errors=problems[:50])
    first_at, last_at = settlement.told_of
    # Of two imports at once the second waits here for the unique index, and finds the first.
    file, is_new = SettlementFile.objects.get_or_create(
        provider=provider,
        sha256=digest,
        defaults={
            "name": name,
            "currency": settlement.currency,
            "lines": len(settlement.lines),
            "paid_out_minor": settlement.paid_out.amount_minor,
            "fees_minor": settlement.fees.amount_minor,
            "first_at": first_at,
            "last_at": last_at,
            "imported_by": actor,
            "imported_at": now,
        },
    )
    if not is_new:
        return Imported(file.id, file.lines, {}, replayed=True)
    lines = _keep(file, settlement)
    post_fees(file, settlement, actor=actor, now=now)
    comparison = _Comparison(file, settlement.book, now)
    comparison.look_again()
    comparison.compare([line for line in lines if line.type != PAYOUT])
    comparison.find_missing(settlement)
    post_payout(file, settlement, actor=actor, now=now)
    transaction.on_commit(lambda: _tell(file, comparison.counts))
    return Imported(file.id, file.lines, comparison.counts)


def _known_lines(provider: str, settlement: Settlement) -> list[FieldProblem]:
    """Lines that another file had, in order."""
    wanted = {line.provider_id: line.number for line in settlement.whole}
    problems: list[FieldProblem] = []
    for ids in _chunks(list(wanted)):
        known = SettlementLine.objects.filter(provider=provider, provider_id__in=ids)
        for provider_id, other in known.values_list("provider_id", "file__name"):
            number = wanted[provider_id]
            detail = f"Line {number} was imported before, in {other} ({provider_id})."
            problems.append(FieldProblem(f"/lines/{number}", "known_line", detail))
    return sorted(problems, key=lambda problem: int(problem.pointer.rpartition("/")[2]))


def _keep(file: SettlementFile, settlement: Settlement) -> list[SettlementLine]:
    rows = [
        SettlementLine(
            file=file,
            number=line.number,
            type=line.type,
            provider=file.provider,
            provider_id=line.provider_id,
            reference=line.reference,
            currency=file.currency,
            amount_minor=line.amount_minor,
            fee_minor=line.fee_minor,
            occurred_at=line.occurred_at,
        )
        for line in settlement.whole
    ]
    return list(SettlementLine.objects.bulk_create(rows, batch_size=CHUNK))


def _tell(file: SettlementFile, counts: dict[str, int]) -> None:
    for status, number in counts.items():
        metrics.SETTLEMENT_CASES.labels(file.provider, status).inc(number)
    logger.info("settlement_imported", provider=file.provider, file_id=file.id, lines=file.lines, **counts)


@dataclass(slots=True)
class _Candidate:
    """A posting that a line may settle. ``case``: one that says that no file had it."""

    posting_id: str
    event: str
    minor: int
    case: SettlementCase | None = None
    taken: bool = False


class _Comparison:
    def __init__(self, file: SettlementFile, book: Book, now: datetime) -> None:
        self.file = file
        self.book = book
        self.now = now
        self.account = of_platform(book.account, file.currency).id
        self.counts: dict[str, int] = {}

    def look_again(self) -> None:
        """Lines of earlier files that the ledger did not know then."""
        open_cases = SettlementCase.objects.filter(
            provider=self.file.provider,
            currency=self.file.currency,
            status=_S.MISSING_IN_LEDGER,
            line__type__in=self.book.types,
        ).select_related("line")
        for cases in _chunks(list(open_cases.order_by("id"))):
            own = {case.line_id: case for case in cases}
            pairs, _ = self._pairs([case.line for case in cases if case.line is not None])
            for line, candidate in pairs:
                if candidate.case is None:
                    case = own[line.id]
                    case.posting_id, case.posting_minor = candidate.posting_id, candidate.minor
                    self._move(case)

    def compare(self, lines: Sequence[SettlementLine]) -> None:
        """Open a case for each line, or end the one that its posting has."""
        for chunk in _chunks(lines):
            pairs, alone = self._pairs(chunk)
            fresh = [self._case(_S.MISSING_IN_LEDGER, line=line) for line in alone]
            for line, candidate in pairs:
                if candidate.case is not None:
                    candidate.case.line, candidate.case.line_minor = line, line.amount_minor
                    self._move(candidate.case)
                else:
                    agree = line.amount_minor == candidate.minor
                    status = _S.MATCHED if agree else _S.AMOUNT_MISMATCH
                    fresh.append(self._case(status, line=line, candidate=candidate))
            SettlementCase.objects.bulk_create(fresh)

    def find_missing(self, settlement: Settlement) -> None:
        """Postings of the provider from the time of the file that no file has had.

        Payouts of cards are missed in the file of a bank that tells of some: not every one is where they go.
        """
        if settlement.complete is None:
            return
        received = bool(
            payout_keys({line.reference for line in settlement.lines if line.type == PAYOUT_RECEIVED})
        )
        for posting_ids in self._posted_between(*settlement.complete, received=received):
            had = set(
                SettlementCase.objects.filter(posting_id__in=posting_ids).values_list("posting_id", flat=True)
            )
            amounts = self._amounts(posting_ids)
            SettlementCase.objects.bulk_create(
                [
                    self._case(_S.MISSING_IN_FILE, candidate=_Candidate(id_, "", amounts[id_]))
                    for id_ in posting_ids
                    if id_ not in had and amounts.get(id_)
                ]
            )

    def _posted_between(self, first: datetime, last: datetime, *, received: bool) -> Iterator[list[str]]:
        rows = Posting.objects.filter(
            event__in=[event.value for event in self.book.events], effective_at__range=(first, last)
        ).order_by("recorded_at", "id")
        if self.book is CARDS:
            rows = rows.filter(actor=f"{_BY}{self.file.provider}")
        # Nothing is recorded before it happens: the range of an index.
        after = Q(recorded_at__gte=first)
        columns = ("id", "recorded_at", "reference", "event")
        while found := list(rows.filter(after).values_list(*columns)[:CHUNK]):
            if self.book is TRANSFERS:
                own = moved_by(self.file.provider, (reference for _, _, reference, _ in found))
                yield [
                    id_
                    for id_, _, reference, event in found
                    if reference in own or (received and event == Event.PSP_SETTLED)
                ]
            else:
                yield [id_ for id_, *_ in found]
            id_, recorded_at, *_ = found[-1]
            after = Q(recorded_at__gt=recorded_at) | Q(recorded_at=recorded_at, id__gt=id_)

    def _pairs(
        self, lines: Sequence[SettlementLine]
    ) -> tuple[list[tuple[SettlementLine, _Candidate]], list[SettlementLine]]:
        """Lines with their postings, those of the same amount first; and the lines that have none."""
        names = self._names(lines)
        by_name = self._candidates({name for own in names.values() for name in own})
        pairs, waiting = [], list(lines)
        for same_amount in (True, False):
            left = []
            for line in waiting:
                events = {event.value for event in TYPES[line.type][1]}
                found = next(
                    (
                        candidate
                        for name in names[line.id]
                        for candidate in by_name.get(name, ())
                        if candidate.event in events
                        and not candidate.taken
                        and (candidate.minor == line.amount_minor or not same_amount)
                    ),
                    None,
                )
                if found is None:
                    left.append(line)
                else:
                    found.taken = True
                    pairs.append((line, found))
            waiting = left
        return pairs, waiting

    def _names(self, lines: Sequence[SettlementLine]) -> dict[str, list[str]]:
        """By line id the keys and references that its posting may have."""
        if self.book is TRANSFERS:
            keys = posting_keys(self.file.provider, lines)
            return {line.id: [keys[line.id]] if line.id in keys else [] for line in lines}
        return {
            line.id: [*filter(None, [line.reference]), f"{line.provider}:{line.provider_id}"]
            for line in lines
        }

    def _candidates(self, names: set[str]) -> dict[str, list[_Candidate]]:
        postings: dict[str, tuple[str, str, str]] = {}
        for field in ("key", "reference"):
            rows = Posting.objects.filter(
                ~Q(actor__startswith=_BY) | Q(actor=f"{_BY}{self.file.provider}"),  # not another provider's
                **{f"{field}__in": names},
                event__in=[event.value for event in self.book.events],
            ).order_by("id")
            for id_, key, reference, event in rows.values_list("id", "key", "reference", "event"):
                postings[id_] = (key, reference, event)
        amounts = self._amounts(postings)
        cases = {
            case.posting_id: case for case in SettlementCase.objects.filter(posting_id__in=list(postings))
        }
        by_name: dict[str, list[_Candidate]] = {}
        for id_ in sorted(postings):
            key, reference, event = postings[id_]
            case = cases.get(id_)
            if not amounts.get(id_) or (case is not None and case.line_id is not None):
                continue  # moved nothing at the provider, or has its line
            candidate = _Candidate(id_, event, amounts[id_], case)
            for name in {key, reference}:
                by_name.setdefault(name, []).append(candidate)
        return by_name

    def _amounts(self, posting_ids: Iterable[str]) -> dict[str, int]:
        """By posting, what it added to the account in this currency."""
        rows = Transfer.objects.filter(posting_id__in=list(posting_ids)).filter(
            Q(debit_account_id=self.account) | Q(credit_account_id=self.account)
        )
        amounts: dict[str, int] = {}
        for id_, debit, minor in rows.values_list("posting_id", "debit_account_id", "amount_minor"):
            amounts[id_] = amounts.get(id_, 0) + (minor if debit == self.account else -minor)
        return amounts

    def _case(
        self,
        status: SettlementCaseStatus,
        *,
        line: SettlementLine | None = None,
        candidate: _Candidate | None = None,
    ) -> SettlementCase:
        self._count(status)
        return SettlementCase(
            status=status.value,
            file=self.file,
            provider=self.file.provider,
            currency=self.file.currency,
            line=line,
            line_minor=None if line is None else line.amount_minor,
            posting_id=None if candidate is None else candidate.posting_id,
            posting_minor=None if candidate is None else candidate.minor,
            opened_at=self.now,
            ended_at=self.now if status is _S.MATCHED else None,
        )

    def _move(self, case: SettlementCase) -> None:
        verb = "match" if case.line_minor == case.posting_minor else "differ"
        case.status = SETTLEMENT_CASE.row(case.status, verb, IMPORT).target
        case.ended_at = self.now if case.status == _S.MATCHED else None
        case.save()
        self._count(case.status)

    def _count(self, status: str) -> None:
        self.counts[str(status)] = self.counts.get(str(status), 0) + 1


def _chunks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), CHUNK):
        yield list(rows[start : start + CHUNK])


@atomic_retry
def resolve_case(*, case_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Write down why they differ; what has to be posted is a correction.

    Raises SettlementCaseNotFound, SettlementCaseEnded.
    """
    case = SettlementCase.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise SettlementCaseNotFound(f"There is no case {case_id}.")
    try:
        case.status = SETTLEMENT_CASE.row(case.status, "resolve", STAFF).target
    except UnknownTransition:
        raise SettlementCaseEnded(f"It is {case.status}.") from None
    case.ended_at, case.resolved_by, case.note = now, f"staff:{staff_id}", note
    case.save(update_fields=["status", "ended_at", "resolved_by", "note"])

    def tell() -> None:
        metrics.SETTLEMENT_CASES.labels(case.provider, case.status).inc()
        logger.info("settlement_case_resolved", case_id=case_id, actor=f"staff:{staff_id}")

    transaction.on_commit(tell)
