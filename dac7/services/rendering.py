"""Writes the files of a filing from its frozen records: always the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import IO

from dac7.errors.filings import FilingChanged
from dac7.message.dialects import DIALECTS
from dac7.message.freezing import thaw_operator
from dac7.message.records import ReportedSeller
from dac7.message.references import References
from dac7.message.writer import DocSpec, Heading, RecordKind, write_message
from dac7.models.filings import Filing, FilingMessage
from dac7.queries.filings import doc_of, iter_records, seller_of


class Measured:
    """A binary file that counts and hashes what is written, and passes it on if there is somebody to."""

    def __init__(self, target: IO[bytes] | None = None) -> None:
        self.target = target
        self.size = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self._hash.update(data)
        if self.target is not None:
            self.target.write(data)
        return len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def references_of(filing: Filing) -> References:
    """Raises KeyError for a dialect that is not known (any more)."""
    operator = thaw_operator(filing.operator)
    return References(
        dialect=DIALECTS[filing.dialect],
        state=filing.state,
        year=filing.year,
        number=filing.number,
        operator_tin=operator.tin.value,
        timestamp=filing.opened_at,
    )


def write_part(
    target: Measured,
    filing: Filing,
    *,
    indicator: str,
    message_ref: str,
    operator_doc: DocSpec,
    sellers: Iterable[tuple[DocSpec, ReportedSeller]],
) -> None:
    """Write one message of a filing. Raises UnwritableRecord."""
    heading = Heading(
        state=filing.state,
        year=filing.year,
        message_ref=message_ref,
        indicator=indicator,
        timestamp=filing.opened_at,
        operator=thaw_operator(filing.operator),
        operator_doc=operator_doc,
    )
    write_message(target, DIALECTS[filing.dialect], heading, sellers)  # type: ignore[arg-type]  # only writes


def write_again(target: IO[bytes], message: FilingMessage) -> None:
    """The file as it was compiled. Raises FilingChanged when it is not the same to the byte."""
    filing = message.filing
    measured = Measured(target)
    records = iter_records(filing, message=message)
    write_part(
        measured,
        filing,
        indicator=message.indicator,
        message_ref=message.message_ref,
        operator_doc=DocSpec(RecordKind(message.operator_kind), message.operator_ref),
        sellers=((doc_of(record), seller_of(record)) for record in records),
    )
    if (measured.sha256, measured.size) != (message.sha256, message.byte_count):
        raise FilingChanged(f"{message.file_name} is not what was compiled: reopen or withdraw the filing.")
