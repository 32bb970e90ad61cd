"""A filing taken through its life by the people and machines who do it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dac7.message.records import Quarter, ReportedSeller
from dac7.models.filings import Filing, FilingMessage, FilingRecord
from dac7.services import approving, compiling, correcting, filing, importing_status, validating
from tests.dac7.message.messages import COMPANY, NAMELESS_TIN, SELLER
from tests.dac7.message.statuses import status

YEAR = 2026
NOW = datetime(2027, 1, 12, 9, 30, tzinfo=UTC)
ANNA, BERND = "01K00000000000000000000ANNA", "01K0000000000000000000BERND"
SELLERS = tuple(sorted((SELLER, NAMELESS_TIN, COMPANY), key=lambda seller: seller.member_ids))


class Reported:
    """What ``figuring.reported_sellers`` gives: these sellers, whatever the year."""

    def __init__(self, *sellers: ReportedSeller) -> None:
        self.sellers: Sequence[ReportedSeller] = sellers
        self.asked: list[tuple[str, int, str]] = []

    def __call__(
        self, *, filing_id: str, year: int, member_state: str, now: datetime
    ) -> Iterator[ReportedSeller]:
        self.asked.append((filing_id, year, member_state))
        yield from self.sellers


def earning(seller: ReportedSeller, consideration: int, activities: int) -> ReportedSeller:
    """The same person with other figures in the first quarter."""
    return replace(seller, quarters=(Quarter("EUR", consideration, activities), *seller.quarters[1:]))


def opened(*sellers: ReportedSeller, now: datetime = NOW) -> str:
    """The year's first filing, compiled."""
    filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=now)
    compiling.compile_filing(filing_id=filing_id, source=Reported(*sellers), now=now)
    return filing_id


def approved(filing_id: str, now: datetime = NOW) -> str:
    """Checked by the rules, by Anna and by Bernd."""
    validating.validate_filing(filing_id=filing_id, now=now)
    approving.review_filing(filing_id=filing_id, staff_id=ANNA, note="Looked at it.", now=now)
    approving.approve_filing(filing_id=filing_id, staff_id=BERND, note="Agreed.", now=now)
    return filing_id


def told(filing_id: str, now: datetime = NOW) -> str:
    """Its sellers, who are no members here, know of it (test_statements.py tells real ones)."""
    Filing.objects.filter(id=filing_id, statements_sent_at__isnull=True).update(statements_sent_at=now)
    return filing_id


def filed(filing_id: str, now: datetime = NOW) -> str:
    """Exported and handed in as well."""
    files(told(approved(filing_id, now), now))
    filing.file_filing(filing_id=filing_id, staff_id=ANNA, receipt="No. 1", now=now)
    return filing_id


def answered(
    filing_id: str,
    *,
    result: str = "Accepted",
    errors: Sequence[tuple[str, list[str]]] = (),
    now: datetime = NOW,
) -> None:
    """The authority answers to every file of it."""
    for message in FilingMessage.objects.filter(filing_id=filing_id):
        mine = set(message.records.values_list("doc_ref", flat=True))
        named = [(code, [ref for ref in refs if ref in mine]) for code, refs in errors]
        data = status(
            message.message_ref, result=result, records=[(code, refs) for code, refs in named if refs]
        )
        importing_status.import_status(data=data, by=f"staff:{ANNA}", now=now)


def corrected(*sellers: ReportedSeller, now: datetime = NOW + timedelta(days=40)) -> str:
    """The next filing of the year, compiled."""
    filing_id = correcting.open_correction(year=YEAR, by=f"staff:{ANNA}", reason="Refunds", now=now)
    compiling.compile_filing(filing_id=filing_id, source=Reported(*sellers), now=now)
    return filing_id


def records(filing_id: str) -> list[tuple[str, str, str, str]]:
    """(kind, who, id, what it corrects), with ids shortened to their last part."""
    rows = FilingRecord.objects.filter(filing_id=filing_id).order_by("seller_id")
    return [(r.kind, r.seller_id, r.doc_ref, r.corrects_ref) for r in rows]


def files(filing_id: str, by: str = f"staff:{ANNA}") -> list[bytes]:
    """Every file of it, exported."""
    found = []
    for message in FilingMessage.objects.filter(filing_id=filing_id).order_by("part"):
        target = io.BytesIO()
        filing.export_message(message_id=message.id, target=target, by=by, reason="To hand it in", now=NOW)
        found.append(target.getvalue())
    return found


def status_of(filing_id: str) -> str:
    return str(Filing.objects.values_list("status", flat=True).get(id=filing_id))
