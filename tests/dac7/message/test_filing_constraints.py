"""The database itself states what filings are, whoever writes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Model

from dac7.models.filings import Filing, FilingExport, FilingMessage, FilingRecord, RecordedMember
from tests.dac7.message.filings import NOW, approved, files, opened, told
from tests.dac7.message.messages import SELLER

pytestmark = pytest.mark.django_db


def copied(row: Model, **changes: Any) -> None:
    row.pk = f"{row.pk[:-1]}{'0' if row.pk[-1] != '0' else '1'}"
    row._state.adding = True
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)


BROKEN: dict[str, Callable[[], object]] = {
    "filing_number_once": lambda: copied(Filing.objects.get(), open_key="LT2099"),
    "open_key": lambda: copied(Filing.objects.get(), number=2),
    "filing_known_status": lambda: Filing.objects.update(status="lost", open_key=None),
    "filing_open_key_while_open": lambda: Filing.objects.update(open_key=None),
    "filing_has_reason": lambda: Filing.objects.update(reason=""),
    "filing_approved_by_another": lambda: Filing.objects.update(approved_by="staff:1", reviewed_by="staff:1"),
    "filing_beyond_validated_is_approved": lambda: Filing.objects.update(approved_by="", reviewed_by=""),
    "filing_exported_stays_as_it_is": lambda: Filing.objects.update(exported_at=NOW, exported_by="staff:1"),
    "filing_withdrawn_by_another": lambda: Filing.objects.update(status="withdrawn", open_key=None),
    "filingexport_has_reason": lambda: FilingExport.objects.create(
        message=FilingMessage.objects.get(), exported_at=NOW, exported_by="staff:1", is_encrypted=False
    ),
    "filingmessage_part_once": lambda: copied(FilingMessage.objects.get(), message_ref="x"),
    "message_ref": lambda: copied(FilingMessage.objects.get(), part=2),
    "filingmessage_known_status": lambda: FilingMessage.objects.update(status="lost", answered_at=NOW),
    "filingmessage_answered": lambda: FilingMessage.objects.update(status="accepted"),
    "filingrecord_seller_once": lambda: copied(FilingRecord.objects.get(), doc_ref="x", figures="{}"),
    "doc_ref": lambda: copied(FilingRecord.objects.get(), seller_id="01K", figures="{}"),
    "filingrecord_known_status": lambda: FilingRecord.objects.update(status="lost"),
    "filingrecord_corrects_what_it_says": lambda: FilingRecord.objects.update(kind="OECD2"),
    "filingrecord_stands_once_accepted": lambda: FilingRecord.objects.update(standing_key="x"),
    "filingrecord_error_has_code": lambda: FilingRecord.objects.update(status="in_error"),
    "recordedmember_once": lambda: copied(RecordedMember.objects.get()),
}


class TestConstraints:
    @pytest.mark.parametrize("name", sorted(BROKEN))
    def test_each_refuses_what_breaks_it(self, name: str) -> None:
        approved(opened(SELLER))
        with pytest.raises(IntegrityError), transaction.atomic():
            BROKEN[name]()

    def test_a_line_of_the_log_of_exports_is_not_changed(self) -> None:
        files(told(approved(opened(SELLER))))
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            FilingExport.objects.update(reason="Another one")
