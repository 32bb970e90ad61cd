"""manage.py export_training_data: what sellers decided, what they agreed to let go, and how it comes back."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from ai_suggestions import queries, services
from ai_suggestions.evaluation.decisions import COLUMNS
from ai_suggestions.evaluation.tables import ExportedRun, TrainingExport
from ai_suggestions.models import SuggestionRun
from ai_suggestions.services import FieldDecision
from foundation.ids import new_id
from listings.queries import get_listing, list_photos
from listings.services import delete
from members.models import Member
from members.services import ConsentChange, ProfileChange, change_profile, close_account
from tests.factories.listings import NOW
from tests.factories.members import make_member

if TYPE_CHECKING:
    from listings.queries import ListingFacts
    from tests.doubles.scripted_provider import ScriptedProvider

TEXT = settings.TRAINING_CONSENT_VERSION
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
            "consent": "",
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
        files = [file for file in (tmp_path / "export").rglob("*") if file.is_file()]
        written = "".join(file.read_text() for file in files)
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


def agree(member_id: str, *, agreed: bool = True, now: dt.datetime = NOW) -> None:
    change = ProfileChange(training_consent=ConsentChange(agreed=agreed, text_version=TEXT if agreed else ""))
    version = Member.objects.values_list("version", flat=True).get(id=member_id)
    change_profile(member_id=member_id, expected_version=version, change=change, now=now)


def to_remove(since: dt.date = TODAY) -> list[dict[str, str]]:
    words = StringIO()
    call_command("export_training_data", f"--withdrawn-since={since}", stdout=words)
    return list(csv.DictReader(words.getvalue().splitlines()))


class TestWithConsent:
    def test_tells_texts_and_photos(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        lines, words = export(tmp_path / "export", SINCE, UNTIL)
        assert lines["title"]["decided_value"] == '"My grandmother\'s shirt"'
        assert lines["title"]["consent"] == TEXT
        with (tmp_path / "export" / "photos.csv").open(newline="") as table:
            (photo,) = csv.DictReader(table)
        (known,) = list_photos(run.listing_id)
        assert (photo["run"], photo["sha256"]) == ("1", known.sha256)
        content = (tmp_path / "export" / photo["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == known.sha256
        assert "1 photos of 1 runs" in words

    def test_still_names_nobody(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "export", SINCE, UNTIL)
        tables = "".join(file.read_text() for file in (tmp_path / "export").glob("*.*"))
        for secret in (run.id, run.listing_id, run.member_id):
            assert secret not in tables

    def test_withdrawn_before_the_export_tells_neither(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        agree(run.member_id, agreed=False)
        lines, _ = export(tmp_path / "export", SINCE, UNTIL)
        assert (lines["title"]["decided_value"], lines["title"]["consent"]) == ("", "")
        assert not list((tmp_path / "export" / "photos").iterdir())
        assert not ExportedRun.objects.exists()

    def test_leaves_out_a_photo_that_was_replaced(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        row = SuggestionRun.objects.get(id=run.id)
        row.inputs["photos"][0]["sha256"] = "0" * 64
        row.save()
        export(tmp_path / "export", SINCE, UNTIL)
        assert not list((tmp_path / "export" / "photos").iterdir())


class TestWithdrawal:
    def test_lists_what_has_to_be_removed(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "first", SINCE, UNTIL)
        assert to_remove() == []
        later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        agree(run.member_id, agreed=False, now=later)

        (line,) = to_remove()

        (photo,) = list_photos(run.listing_id)
        assert (line["folder"], line["run"], line["reason"]) == ("first", "1", "consent_withdrawn")
        assert line["photos"] == f"photos/{photo.sha256}.jpg"
        assert to_remove(later.date() + dt.timedelta(days=1)) == []

    def test_lists_it_although_the_member_agreed_again(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "first", SINCE, UNTIL)
        later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        agree(run.member_id, agreed=False, now=later)
        agree(run.member_id, now=later)
        assert [line["reason"] for line in to_remove()] == ["consent_withdrawn"]

    def test_lists_listings_that_are_gone(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "first", SINCE, UNTIL)
        delete(seller_id=run.member_id, listing_id=run.listing_id, now=NOW)
        assert [line["reason"] for line in to_remove()] == ["listing_gone"]

    def test_lists_what_a_closed_account_left(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "first", SINCE, UNTIL)
        close_account(member_id=run.member_id, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
        assert [line["reason"] for line in to_remove()] == ["consent_withdrawn"]

    def test_lists_what_is_older_than_runs_are_kept(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "first", SINCE, UNTIL)
        first = queries.first_day_kept(now=dt.datetime.now(dt.UTC))
        kept_from = dt.datetime.combine(first, dt.time(), dt.UTC)
        TrainingExport.objects.update(until_at=kept_from + dt.timedelta(days=2))
        assert to_remove() == []
        TrainingExport.objects.update(until_at=kept_from)
        assert [line["reason"] for line in to_remove()] == ["kept_too_long"]

    def test_shows_staff_what_left(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "first", SINCE, UNTIL)
        client = Client()
        client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
        assert "first" in client.get("/admin/ai_suggestions/trainingexport/").content.decode()
        page = client.get("/admin/ai_suggestions/exportedrun/", {"q": run.member_id}).content.decode()
        assert run.listing_id in page

    def test_exported_run_once(self, run: queries.RunFacts, tmp_path: Path) -> None:
        agree(run.member_id)
        export(tmp_path / "first", SINCE, UNTIL)
        again = ExportedRun.objects.get()
        again.pk = new_id()
        with pytest.raises(IntegrityError), transaction.atomic():
            again.save(force_insert=True)


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

    @pytest.mark.parametrize("arguments", [(), ("here",), (SINCE,)])
    def test_wants_a_folder_and_a_first_day(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError, match="Name a new folder and --since"):
            call_command("export_training_data", *arguments)

    def test_lists_or_exports_and_never_both(self) -> None:
        with pytest.raises(CommandError, match="stands alone"):
            call_command("export_training_data", "here", SINCE, f"--withdrawn-since={TODAY}")

    def test_says_that_it_cannot_write(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="No such file"):
            export(tmp_path / "gone" / "export", SINCE, UNTIL)
