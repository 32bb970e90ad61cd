"""Opens a year's filing and freezes it: who is in it, with which figures, under which ids, in which files."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from dac7 import filing_metrics as metrics
from dac7.errors.filings import (
    DialectUnknown,
    FilingClaimed,
    FilingWouldBeNil,
    ReasonMissing,
    RecordUnwritable,
    SourceDisordered,
)
from dac7.lifecycle.filings import FILING, OPEN, RECORD, WORKER, FilingStatus
from dac7.message.dialects import DIALECTS
from dac7.message.freezing import freeze
from dac7.message.records import Operator, PostalAddress, ReportedSeller, Tin
from dac7.message.references import References
from dac7.message.writer import DocSpec, MessageKind, RecordKind, UnwritableRecord
from dac7.models.filings import (
    Filing,
    FilingFinding,
    FilingMessage,
    FilingOmission,
    FilingRecord,
    RecordedMember,
)
from dac7.queries.filings import (
    OPERATOR_ERROR,
    accepted_messages,
    doc_of,
    get_filing,
    iter_records,
    iter_standing,
    seller_of,
)
from dac7.services.rendering import Measured, references_of, write_part
from foundation.db import atomic_retry
from foundation.ids import new_id

logger = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=15)
_CHUNK: Final = 500
# Before the file's end are written: what lxml still holds back, the last seller, the closing tags.
_ROOM: Final = 1_000_000

Source = Callable[..., Iterator[ReportedSeller]]
"""``figuring.reported_sellers``: who is reportable, by seller id."""


class _Change(NamedTuple):
    kind: RecordKind
    seller: ReportedSeller
    corrects: str


@atomic_retry
def open_filing(*, year: int, by: str, reason: str, now: datetime) -> str:
    """The year's first filing, which is opened if it is not there; safe to call twice and at once.

    Raises ReasonMissing, DialectUnknown.
    """
    state = settings.DAC7_OPERATOR_STATE
    values = opening_values(state=state, year=year, by=by, reason=reason, now=now)
    filing, is_new = Filing.objects.get_or_create(state=state, year=year, number=1, defaults=values)
    if is_new:
        logger.info("filing_opened", filing_id=filing.id, year=year, state=state)
    return str(filing.id)


def opening_values(*, state: str, year: int, by: str, reason: str, now: datetime) -> dict[str, object]:
    """What a new filing begins with. Raises ReasonMissing, DialectUnknown."""
    if not reason.strip():
        raise ReasonMissing
    if settings.DAC7_DIALECT not in DIALECTS:
        raise DialectUnknown(f"DAC7_DIALECT is {settings.DAC7_DIALECT!r}.")
    return {
        "dialect": settings.DAC7_DIALECT,
        "status": FILING.initial,
        "open_key": open_key_of(state, year),
        "opened_at": now,
        "opened_by": by,
        "reason": reason,
    }


def open_key_of(state: str, year: int) -> str:
    """What only one filing of the year may have."""
    return f"{state}{year}"


def compile_filing(*, filing_id: str, source: Source, now: datetime) -> FilingStatus:
    """Freeze a filing that is collecting; gives its status. Compiled already: nothing happens.

    A worker that dies leaves its claim for LEASE; the next one starts from nothing and comes to the same.
    Raises FilingNotFound, FilingClaimed (another worker is at it), SourceDisordered, RecordUnwritable,
    FilingWouldBeNil.
    """
    claim = _claim(filing_id, now)
    if claim is None:
        return FilingStatus(get_filing(filing_id).status)
    started = time.monotonic()
    mine = Filing.objects.filter(id=filing_id, claim=claim, status=FilingStatus.COLLECTING)

    def renew(**values: str) -> None:
        until = now + timedelta(seconds=time.monotonic() - started) + LEASE
        if not mine.update(claimed_until=until, **values):
            raise FilingClaimed(f"Another worker has taken {filing_id} over.")

    try:
        clear(filing_id)
        renew(operator=_operator(get_filing(filing_id)))
        filing = get_filing(filing_id)
        stream = source(filing_id=filing_id, year=filing.year, member_state=filing.state, now=now)
        omitted = set(FilingOmission.objects.filter(filing=filing).values_list("seller_id", flat=True))
        changes = _changes(filing, _ordered(stream))
        # Whoever is left out is not spoken of at all: neither reported, nor corrected, nor deleted.
        _freeze(filing, (one for one in changes if one.seller.seller_id not in omitted), renew)
        said = FilingRecord.objects.filter(filing=filing).exists()
        if omitted and not said and not accepted_messages(filing).exists():
            FilingOmission.objects.filter(filing=filing).delete()
            raise FilingWouldBeNil(f"Of {filing} nobody else is left: the next run takes everybody in.")
        verb = "compile" if _lay_out(filing, renew) else "find_unchanged"
        status = _finish(filing_id, claim, verb, now)
    finally:
        mine.update(claim=None, claimed_until=None)
    metrics.FILING_MOVES.labels(verb).inc()
    metrics.COMPILE_SECONDS.observe(time.monotonic() - started)
    logger.info("filing_compiled", filing_id=filing_id, verb=verb)
    return status


def clear(filing_id: str) -> None:
    """Take out what an earlier compilation has left, a bounded number of rows at a time."""
    FilingFinding.objects.filter(filing_id=filing_id).delete()
    while ids := list(FilingRecord.objects.filter(filing_id=filing_id).values_list("id", flat=True)[:_CHUNK]):
        with transaction.atomic():
            RecordedMember.objects.filter(record_id__in=ids).delete()
            FilingRecord.objects.filter(id__in=ids).delete()
    FilingMessage.objects.filter(filing_id=filing_id).delete()


def _claim(filing_id: str, now: datetime) -> str | None:
    claim = new_id()
    free = Q(claim__isnull=True) | Q(claimed_until__lt=now)
    rows = Filing.objects.filter(free, id=filing_id, status=FilingStatus.COLLECTING)
    if rows.update(claim=claim, claimed_until=now + LEASE):
        return claim
    if get_filing(filing_id).status == FilingStatus.COLLECTING:
        raise FilingClaimed(f"Another worker is at {filing_id}.")
    return None


def _operator(filing: Filing) -> str:
    """Who reports: as the authority took it first in this year, else as the settings say now."""
    taken = accepted_messages(filing).select_related("filing").order_by("filing__number").first()
    return taken.filing.operator if taken else freeze(operator_of_settings())


def operator_of_settings() -> Operator:
    """DAC7_OPERATOR as it is to be reported."""
    values = dict(settings.DAC7_OPERATOR)
    state = settings.DAC7_OPERATOR_STATE
    address = PostalAddress(
        country=values.pop("country"),
        city=values.pop("city"),
        street=values.pop("street"),
        postcode=values.pop("postcode"),
    )
    return Operator(residence=state, tin=Tin(values.pop("tin"), state), address=address, **values)


def _ordered(sellers: Iterable[ReportedSeller]) -> Iterator[ReportedSeller]:
    last = ""
    for seller in sellers:
        if seller.seller_id <= last or list(seller.member_ids) != sorted(set(seller.member_ids)):
            raise SourceDisordered(f"{seller.seller_id} comes after {last or 'nobody'}.")
        last = seller.seller_id
        yield seller


def _changes(filing: Filing, sellers: Iterator[ReportedSeller]) -> Iterator[_Change]:
    """What is to be said of each seller, as against what the authority holds. Both streams go by seller."""
    standing = iter_standing(filing.state, filing.year)
    now, held = next(sellers, None), next(standing, None)
    while now is not None or held is not None:
        if now is not None and (held is None or now.seller_id < held.seller_id):
            yield _Change(RecordKind.NEW, now, "")
            now = next(sellers, None)
        elif held is not None and (now is None or held.seller_id < now.seller_id):
            yield _Change(RecordKind.DELETED, seller_of(held), held.doc_ref)
            held = next(standing, None)
        elif now is not None and held is not None:
            if freeze(now) != held.figures.reveal():
                yield _Change(RecordKind.CORRECTED, now, held.doc_ref)
            now, held = next(sellers, None), next(standing, None)


def _freeze(filing: Filing, changes: Iterator[_Change], renew: Callable[[], None]) -> None:
    references = references_of(filing)
    while chunk := list(itertools.islice(changes, _CHUNK)):
        records = []
        for change in chunk:
            seller_id = change.seller.seller_id
            record = FilingRecord(
                filing=filing,
                seller_id=seller_id,
                kind=change.kind,
                doc_ref=references.seller(seller_id),
                corrects_ref=change.corrects,
                status=RECORD.initial,
            )
            record.figures = freeze(change.seller)
            records.append(record)
        members = [
            RecordedMember(record=record, member_id=member_id)
            for record, change in zip(records, chunk, strict=True)
            for member_id in change.seller.member_ids
        ]
        with transaction.atomic():
            renew()
            FilingRecord.objects.bulk_create(records)
            RecordedMember.objects.bulk_create(members)


def _lay_out(filing: Filing, renew: Callable[[], None]) -> bool:
    """Cut the records into files that the authority takes; false when there is nothing to say."""
    parts = itertools.count(1)
    corrections = DIALECTS[filing.dialect].corrections
    new = iter_records(filing, kinds=(RecordKind.NEW,))
    correcting = iter_records(filing, kinds=(RecordKind.CORRECTED, RecordKind.DELETED))
    said = _write_all(filing, MessageKind.NEW, new, parts, renew)
    said += _write_all(filing, corrections, correcting, parts, renew)
    if not said and not accepted_messages(filing).exists():
        _write_one(filing, MessageKind.NIL, iter(()), next(parts))
        return True
    return said > 0


def _write_all(
    filing: Filing,
    indicator: str,
    records: Iterator[FilingRecord],
    parts: Iterator[int],
    renew: Callable[[], None],
) -> int:
    written = 0
    first = next(records, None)
    while first is not None:
        renew()
        records, rest = itertools.chain((first,), records), records
        written += 1
        _write_one(filing, indicator, records, next(parts))
        first = next(rest, None)
    return written


def _write_one(filing: Filing, indicator: str, records: Iterator[FilingRecord], part: int) -> None:
    references = references_of(filing)
    dialect = references.dialect
    operator_doc = _operator_doc(filing, references, part)
    measured = Measured()
    ids: list[str] = []

    def taken() -> Iterator[tuple[DocSpec, ReportedSeller]]:
        for record in records:
            ids.append(record.id)
            yield doc_of(record), seller_of(record)
            if len(ids) >= dialect.most_sellers or measured.size + _ROOM >= dialect.most_bytes:
                return

    try:
        write_part(
            measured,
            filing,
            indicator=indicator,
            message_ref=references.message(part),
            operator_doc=operator_doc,
            sellers=taken(),
        )
    except UnwritableRecord as error:
        words = "A text has a character that XML cannot hold."
        FilingFinding.objects.create(
            filing=filing, rule="control_character", is_warning=False, doc_ref=error.doc_ref, detail=words
        )
        raise RecordUnwritable(f"{error.doc_ref}: {words}") from None
    message = FilingMessage.objects.create(
        filing=filing,
        part=part,
        indicator=indicator,
        message_ref=references.message(part),
        operator_ref=operator_doc.ref,
        operator_kind=operator_doc.kind,
        file_name=references.file_name(part),
        seller_count=len(ids),
        byte_count=measured.size,
        sha256=measured.sha256,
        status=RECORD.initial,
    )
    for start in range(0, len(ids), _CHUNK):
        FilingRecord.objects.filter(id__in=ids[start : start + _CHUNK]).update(message=message)


def _operator_doc(filing: Filing, references: References, part: int) -> DocSpec:
    """New once a year, sent again unchanged with everything after that."""
    taken = accepted_messages(filing).exclude(answer_codes__contains=OPERATOR_ERROR)
    ref = taken.order_by("filing__number", "part").values_list("operator_ref", flat=True).first()
    if ref is None and part == 1:
        return DocSpec(RecordKind.NEW, references.operator(1))
    return DocSpec(RecordKind.RESENT, ref or references.operator(1))


@atomic_retry
def _finish(filing_id: str, claim: str, verb: str, now: datetime) -> FilingStatus:
    row = FILING.row(FilingStatus.COLLECTING, verb, WORKER)
    values: dict[str, object] = {
        "status": row.target,
        "compiled_at": now,
        "claim": None,
        "claimed_until": None,
    }
    if row.target not in OPEN:
        values["open_key"] = None
    mine = Filing.objects.filter(id=filing_id, claim=claim, status=row.source)
    if not mine.update(**values):
        raise FilingClaimed(f"Another worker has taken {filing_id} over.")
    return FilingStatus(row.target)
