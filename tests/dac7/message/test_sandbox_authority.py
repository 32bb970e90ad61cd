from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from dac7.message.sandbox_authority import answer
from dac7.message.statuses import read_status
from dac7.services import importing_status
from tests.dac7.message.filings import ANNA, NOW, SELLERS, filed, files, opened, status_of
from tests.dac7.message.messages import HEADING, SELLER, TODAY, YEAR, doc, written

if TYPE_CHECKING:
    from pytest_django import Settings

GOOD = written("sandbox", HEADING, ((doc("a"), SELLER),))


class TestAnswer:
    def test_a_good_file_is_accepted(self) -> None:
        read = read_status(answer(GOOD, year=YEAR, today=TODAY))
        assert (read.message_ref, read.is_accepted, read.record_errors) == (HEADING.message_ref, True, ())

    def test_wrong_records_are_named(self) -> None:
        wrong = GOOD.replace(b">38001011234<", b"><").replace(b">1980-01-01<", b">2080-01-01<")
        read = read_status(answer(wrong, year=YEAR, today=TODAY))
        assert read.is_accepted
        assert {(error.code, error.refs) for error in read.record_errors} == {
            ("98002", ("a",)),
            ("98003", ("a",)),
        }

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ((b"<dpi:Nexus>RPONEX1</dpi:Nexus>", b""), "50007"),
            ((b">OECD1</dpi:DocT", b">OECD11</dpi:DocT"), "50010"),
        ],
    )
    def test_a_file_that_cannot_be_taken_is_rejected(self, change: tuple[bytes, bytes], code: str) -> None:
        read = read_status(answer(GOOD.replace(*change), year=YEAR, today=TODAY))
        assert not read.is_accepted
        assert code in read.file_errors


@pytest.mark.django_db
class TestTheWholeWay:
    def test_from_sellers_to_accepted(self) -> None:
        filing_id = filed(opened(*SELLERS))
        for document in files(filing_id):
            data = answer(document, year=YEAR, today=NOW.date())
            importing_status.import_status(data=data, by=f"staff:{ANNA}", now=NOW)
        assert status_of(filing_id) == "accepted"


class TestCommand:
    @pytest.mark.django_db
    def test_prints_the_answer(self, tmp_path: Path, settings: Settings) -> None:
        settings.SANDBOX = True
        (tmp_path / "file.xml").write_bytes(GOOD)
        printed = io.StringIO()
        call_command("sandbox_authority", str(tmp_path / "file.xml"), "--year", str(YEAR), stdout=printed)
        assert read_status(printed.getvalue().strip().encode()).is_accepted
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("sandbox_authority", str(tmp_path / "none.xml"))

    def test_is_for_sandboxes_only(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no sandbox"):
            call_command("sandbox_authority", str(tmp_path / "file.xml"))
