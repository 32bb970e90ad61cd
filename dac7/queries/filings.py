"""Filings: what was filed before, what is in one, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from dac7.errors.filings import FilingNotFound
from dac7.lifecycle.filings import PUBLISHED, RecordStatus
from dac7.message.freezing import thaw_seller
from dac7.message.records import ReportedSeller
from dac7.message.writer import DocSpec, RecordKind
from dac7.models.filings import Filing, FilingMessage, FilingRecord, RecordedMember

_CHUNK: Final = 500
_DETAILS: Final = (
    *("kind", "residences", "address", "tins", "vat_number", "first_name", "last_name", "birth_date"),
    *("birth_place", "legal_name", "registration_number", "registered_in", "establishments", "account"),
)
OPERATOR_ERROR: Final = "operator:"
"""Begins a code in `answer_codes` that is about the operator's record."""


class FiledBefore:
    """The KnownReferences of a filing: what other filings hold."""

    def __init__(self, filing: Filing) -> None:
        self.filing = filing

    def used_elsewhere(self, refs: list[str]) -> set[str]:
        used: set[str] = set()
        others = FilingMessage.objects.exclude(filing=self.filing)
        used.update(
            FilingRecord.objects.filter(doc_ref__in=refs)
            .exclude(filing=self.filing)
            .values_list("doc_ref", flat=True)
        )
        used.update(others.filter(message_ref__in=refs).values_list("message_ref", flat=True))
        used.update(others.filter(operator_ref__in=refs).values_list("operator_ref", flat=True))
        return used

    def correctable(self, refs: list[str]) -> set[str]:
        standing = FilingRecord.objects.filter(doc_ref__in=refs, standing_key__isnull=False)
        return set(standing.values_list("doc_ref", flat=True))


def get_filing(filing_id: str) -> Filing:
    """Raises FilingNotFound."""
    try:
        return Filing.objects.get(id=filing_id)
    except Filing.DoesNotExist:
        raise FilingNotFound(f"There is no filing {filing_id}.") from None


def iter_records(
    filing: Filing, *, message: FilingMessage | None = None, kinds: tuple[RecordKind, ...] = ()
) -> Iterator[FilingRecord]:
    """The records of a filing, or of one message of it, by seller; in bounded memory."""
    rows = FilingRecord.objects.filter(filing=filing)
    if message is not None:
        rows = rows.filter(message=message)
    if kinds:
        rows = rows.filter(kind__in=kinds)
    return _by_seller(rows)


def iter_standing(state: str, year: int) -> Iterator[FilingRecord]:
    """What the authority holds of each seller of a year, by seller."""
    return _by_seller(
        FilingRecord.objects.filter(filing__state=state, filing__year=year, standing_key__isnull=False)
    )


def _by_seller(rows: QuerySet[FilingRecord]) -> Iterator[FilingRecord]:
    last = ""
    while chunk := list(rows.filter(seller_id__gt=last).order_by("seller_id")[:_CHUNK]):
        yield from chunk
        last = chunk[-1].seller_id


def accepted_messages(filing: Filing) -> QuerySet[FilingMessage]:
    """Of the same state and year: what the authority has taken, if not every record of it."""
    return FilingMessage.objects.filter(
        filing__state=filing.state, filing__year=filing.year, status=RecordStatus.ACCEPTED
    )


def doc_of(record: FilingRecord) -> DocSpec:
    """The ids of a record, as they are written."""
    return DocSpec(RecordKind(record.kind), record.doc_ref, record.corrects_ref)


def seller_of(record: FilingRecord) -> ReportedSeller:
    """What was frozen of a seller, in the clear."""
    return thaw_seller(record.figures.reveal())


@dataclass(frozen=True, slots=True)
class Difference:
    """What a correction changes of one seller: ``figures`` as (what, before, after), ``details`` by name."""

    doc_ref: str
    kind: RecordKind
    figures: tuple[tuple[str, int, int], ...]
    details: tuple[str, ...]


def list_differences(filing: Filing, *, limit: int) -> list[Difference]:
    """What a filing says differently from what the authority holds; empty for the first of a year."""
    found = []
    for record in iter_records(filing, kinds=(RecordKind.CORRECTED, RecordKind.DELETED)):
        before = FilingRecord.objects.filter(doc_ref=record.corrects_ref).first()
        if before is not None:
            found.append(_difference(record, seller_of(before), seller_of(record)))
        if len(found) >= limit:
            break
    return found


def _difference(record: FilingRecord, before: ReportedSeller, after: ReportedSeller) -> Difference:
    kind = RecordKind(record.kind)
    if kind == RecordKind.DELETED:
        return Difference(record.doc_ref, kind, (), ())
    figures: list[tuple[str, int, int]] = []
    for n, (old, new) in enumerate(zip(before.quarters, after.quarters, strict=True), 1):
        figures += [
            (f"Q{n} {what}", getattr(old, what), getattr(new, what))
            for what in ("consideration", "activities", "fees", "taxes")
            if getattr(old, what) != getattr(new, what)
        ]
        if old.currency != new.currency:
            figures.append((f"Q{n} {old.currency} → {new.currency}", old.consideration, new.consideration))
    details = tuple(name for name in _DETAILS if getattr(before, name) != getattr(after, name))
    return Difference(record.doc_ref, kind, tuple(figures), details)


def find_statement_record(member_id: str, year: int) -> FilingRecord | None:
    """The latest thing that was reported of a member for a year, or is about to be.

    None also of somebody whose account was in another person's record, and is not any more.
    """
    published = FilingRecord.objects.filter(
        filing__year=year, filing__status__in=[s.value for s in PUBLISHED]
    ).select_related("filing")
    # An account that has come to another one of the person is deleted and reported there, in one filing.
    mine = published.filter(members__member_id=member_id).order_by("-filing__number", "kind").first()
    if mine is None:
        return None
    later = published.filter(seller_id=mine.seller_id, filing__number__gt=mine.filing.number)
    return None if later.exists() else mine


def list_untold(filing_id: str, *, limit: int) -> list[tuple[str, str]]:
    """Members whose statement of this filing was not announced yet: (row id, member id)."""
    rows = RecordedMember.objects.filter(record__filing_id=filing_id, told_at__isnull=True)
    return list(rows.order_by("id").values_list("id", "member_id")[:limit])
