"""manage.py export_training_data: what sellers decided, and nothing that leads to them."""

from __future__ import annotations

import csv
import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from ai_suggestions import queries, services
from ai_suggestions.evaluation.decisions import COLUMNS
from ai_suggestions.services import FieldDecision
from listings.queries import get_listing, list_photos
from listings.services import delete
from members.services import close_account
from tests.factories.listings import NOW

if TYPE_CHECKING:
    from listings.queries import ListingFacts
    from members.models import Member
    from tests.doubles.scripted_provider import ScriptedProvider

TODAY = NOW.date()
SINCE = f"--since={TODAY}"
UNTIL = f"--until={TODAY + dt.timedelta(days=1)}"


@pytest.fixture
def run(seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> queries.RunFacts:
    """A run on whose category, colours, title and price the seller has decided; not on the description."""
    found, _ = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
    services.perform_run(run_id=found.id, now=NOW)
    services.decide(
        member_id=seller.id,
        run_id=found.id,
        decisions=[
            FieldDecision("category", "accept", "women-t-shirts"),
            FieldDecision("colours", "edit", ["navy", "white"]),
            FieldDecision("title", "edit", "My grandmother's shirt"),
            FieldDecision("price", "reject"),
        ],
        now=NOW,
    )
    return found


def export(folder: Path, *arguments: str) -> tuple[dict[str, dict[str, str]], str]:
    """(the lines by field, what the command says)."""
    words = StringIO()
    call_command("export_training_data", str(folder), *arguments, stdout=words)
    with (folder / "decisions.csv").open(newline="", encoding="utf-8") as lines:
        return {line["field"]: line for line in csv.DictReader(lines)}, words.getvalue()


class TestExport:
    def test_tells_each_decision(self, run: queries.RunFacts, tmp_path: Path) -> None:
        lines, words = export(tmp_path / "export", SINCE, UNTIL)
        assert {field: line["decision"] for field, line in lines.items()} == {
            "category": "accepted",
            "colours": "edited",
            "title": "edited",
            "price": "rejected",
        }
        year, week, _ = NOW.isocalendar()
        assert lines["colours"] == {
            "week": f"{year}-W{week:02}",
            "market": "LT",
            "department": "",
            "provider": "scripted",
            "step": "colour",
            "step_version": "script-1",
            "run": "1",
            "photos": "1",
            "field": "colours",
            "state": "proposed",
            "value": '["navy"]',
            "alternatives": '[["black"]]',
            "confidence": "0.8",
            "note": "",
            "decision": "edited",
            "decided_value": '["navy","white"]',
            "edit_distance": "1",
        }
        assert "4 decisions" in words

    def test_tells_no_text_and_nothing_that_leads_to_a_person(
        self, run: queries.RunFacts, tmp_path: Path
    ) -> None:
        lines, _ = export(tmp_path / "export", SINCE, UNTIL)
        assert (lines["title"]["value"], lines["title"]["decided_value"]) == ("", "")
        assert int(lines["title"]["edit_distance"]) > 0
        written = "".join(file.read_text() for file in (tmp_path / "export").iterdir())
        (photo,) = list_photos(run.listing_id)
        for secret in (run.id, run.listing_id, run.member_id, photo.id, photo.sha256, "grandmother"):
            assert secret
            assert secret not in written
        assert "T-shirt, navy" not in written

    def test_withholds_what_belongs_to_a_deleted_listing(self, run: queries.RunFacts, tmp_path: Path) -> None:
        delete(seller_id=run.member_id, listing_id=run.listing_id, now=NOW)
        lines, words = export(tmp_path / "export", SINCE, UNTIL)
        assert not lines
        assert "4 withheld" in words

    def test_withholds_what_belongs_to_a_closed_account(self, run: queries.RunFacts, tmp_path: Path) -> None:
        close_account(member_id=run.member_id, now=NOW)
        assert get_listing(run.listing_id).status == "draft"
        lines, words = export(tmp_path / "export", SINCE, UNTIL)
        assert not lines
        assert "4 withheld" in words

    def test_tells_what_was_decided_from_the_first_day_until_before_the_last(
        self, run: queries.RunFacts, tmp_path: Path
    ) -> None:
        day_after = TODAY + dt.timedelta(days=1)
        before, _ = export(tmp_path / "before", f"--since={TODAY - dt.timedelta(days=9)}", f"--until={TODAY}")
        after, _ = export(
            tmp_path / "after", f"--since={day_after}", f"--until={day_after + dt.timedelta(9)}"
        )
        assert not before
        assert not after

    def test_says_what_it_is(self, run: queries.RunFacts, tmp_path: Path) -> None:
        export(tmp_path / "export", SINCE, UNTIL)
        about = json.loads((tmp_path / "export" / "about.json").read_text())
        assert (about["decisions"], about["runs"]) == (4, 1)
        header = (tmp_path / "export" / "decisions.csv").read_text().partition("\n")[0]
        assert header.strip().split(",") == list(COLUMNS)
        assert (tmp_path / "export").stat().st_mode & 0o077 == 0


@pytest.mark.django_db
class TestRefuse:
    def test_never_writes_over_an_export(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="is there already"):
            export(tmp_path, SINCE, UNTIL)

    def test_wants_a_range(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="--until has to be after"):
            export(tmp_path / "export", SINCE, f"--until={TODAY}")

    @pytest.mark.parametrize("word", ["yesterday", "2026-13-01", "2026-1"])
    def test_wants_days(self, tmp_path: Path, word: str) -> None:
        with pytest.raises(CommandError, match="--since"):
            export(tmp_path / "export", f"--since={word}")

    def test_says_that_it_cannot_write(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="No such file"):
            export(tmp_path / "gone" / "export", SINCE, UNTIL)
