"""A seller's copy of what is reported, taken from the frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dac7.message.freezing import thaw_operator
from dac7.message.records import Quarter, ReportedSeller
from dac7.message.writer import RecordKind
from dac7.models.filings import FilingRecord
from dac7.queries.filings import seller_of

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Statement:
    """``is_withdrawn``: the record deletes what was reported before; its figures count no more."""

    year: int
    state: str
    reference: str
    operator: str
    reported_at: datetime | None
    is_withdrawn: bool
    seller: ReportedSeller

    @property
    def quarters(self) -> tuple[Quarter, ...]:
        """The four quarters, as they are reported."""
        return self.seller.quarters


def statement_of(record: FilingRecord) -> Statement:
    """``record`` comes with its filing."""
    filing = record.filing
    return Statement(
        year=filing.year,
        state=filing.state,
        reference=record.doc_ref,
        operator=thaw_operator(filing.operator).name,
        reported_at=filing.filed_at,
        is_withdrawn=record.kind == RecordKind.DELETED,
        seller=seller_of(record),
    )


def masked(number: str) -> str:
    """Enough for its owner to know it, too little for who finds the document."""
    return f"…{number[-_SHOWN:]}" if len(number) > 2 * _SHOWN else "…"
