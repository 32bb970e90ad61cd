"""Two workers, or two persons, at the same filing; with real connections on MySQL or MariaDB."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from dac7.models.filings import Filing, FilingExport, FilingMessage, FilingRecord
from dac7.services import advancing, approving, compiling, correcting, filing, importing_status, validating
from foundation.errors import DomainError
from tests.dac7.message.filings import (
    ANNA,
    BERND,
    NOW,
    SELLERS,
    YEAR,
    Reported,
    answered,
    approved,
    filed,
    opened,
    status_of,
    told,
)
from tests.dac7.message.messages import SELLER
from tests.dac7.message.statuses import status

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


def at_once(act: Callable[[int], Any], times: int = 6) -> list[Any]:
    """What it answers, or the code of what it raises, when it is done as often at the same moment."""
    gate = threading.Barrier(times)

    def start(number: int) -> Any:
        try:
            gate.wait(20)
            return act(number)
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(start, range(times)))


def test_january_opens_one_filing() -> None:
    assert len(set(at_once(lambda _: advancing.open_january_filing(now=NOW)))) == 1
    assert Filing.objects.count() == 1


def test_one_worker_compiles() -> None:
    filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
    sources = [Reported(*SELLERS) for _ in range(6)]
    at_once(lambda n: compiling.compile_filing(filing_id=filing_id, source=sources[n], now=NOW))
    assert sum(len(source.asked) for source in sources) == 1
    assert (FilingRecord.objects.count(), FilingMessage.objects.count()) == (3, 1)
    assert status_of(filing_id) == "compiled"


def test_one_correction_is_opened() -> None:
    answered(filed(opened(SELLER)))
    found = at_once(
        lambda n: correcting.open_correction(year=YEAR, by=f"staff:{n}", reason="Refunds", now=NOW)
    )
    assert found.count("filing_open") == 5
    assert Filing.objects.filter(number=2).count() == 1


def test_a_filing_is_either_approved_or_reopened() -> None:
    filing_id = opened(SELLER)
    validating.validate_filing(filing_id=filing_id, now=NOW)
    approving.review_filing(filing_id=filing_id, staff_id=ANNA, note="Fine.", now=NOW)

    def decide(number: int) -> str:
        if number % 2:
            approving.approve_filing(filing_id=filing_id, staff_id=BERND, note="Fine.", now=NOW)
        else:
            approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="No.", now=NOW)
        return "done"

    found = at_once(decide)
    row = Filing.objects.get(id=filing_id)
    # Reopening is possible after approving too, so it has the last word; nothing in between is left.
    assert (row.status, row.approved_by, row.reviewed_by) == ("collecting", "", "")
    assert set(found) == {"done", "filing_not_ready"}


def test_two_persons_approve_at_once_and_one_of_them_did() -> None:
    filing_id = opened(SELLER)
    validating.validate_filing(filing_id=filing_id, now=NOW)
    approving.review_filing(filing_id=filing_id, staff_id=ANNA, note="Fine.", now=NOW)

    def approve(number: int) -> int:
        approving.approve_filing(filing_id=filing_id, staff_id=f"{BERND[:-1]}{number}", note="Fine.", now=NOW)
        return number

    found = at_once(approve)
    (first,) = [number for number in found if number != "filing_not_ready"]
    assert Filing.objects.get(id=filing_id).approved_by == f"staff:{BERND[:-1]}{first}"


def test_a_filing_is_either_exported_or_reopened() -> None:
    filing_id = told(approved(opened(SELLER)))
    message_id = FilingMessage.objects.get().id
    given_out = [io.BytesIO() for _ in range(6)]

    def act(number: int) -> str:
        if number % 2:
            filing.export_message(
                message_id=message_id, target=given_out[number], by=f"staff:{number}", reason="x", now=NOW
            )
        else:
            approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="No.", now=NOW)
            compiling.compile_filing(filing_id=filing_id, source=Reported(*SELLERS), now=NOW)
        return "done"

    found = at_once(act)
    documents = [target.getvalue() for target in given_out if target.getvalue()]
    if status_of(filing_id) == "exported":
        # Whoever got a file got the one that stays; nobody compiled another one under its ids.
        assert (len(documents), FilingExport.objects.count()) == (3, 3)
        digests = {hashlib.sha256(document).hexdigest() for document in documents}
        assert digests == set(FilingMessage.objects.values_list("sha256", flat=True))
    else:
        assert (documents, FilingExport.objects.count()) == ([], 0)
        assert found.count("done") < 6


def test_an_answer_counts_once() -> None:
    filing_id = filed(opened(*SELLERS))
    data = status(FilingMessage.objects.get().message_ref)
    found = at_once(lambda n: importing_status.import_status(data=data, by=f"staff:{n}", now=NOW))
    assert len(set(found)) == 1
    assert status_of(filing_id) == "accepted"
    assert FilingRecord.objects.filter(standing_key__isnull=False).count() == 3
