"""What sellers did with suggestions, for whoever improves them; photos and texts of those who agreed to it.

Of members who did not agree neither these nor anything that leads to them (ids, hashes, what was read on a
label) leaves the database. What left is written down before it does, so that it can be asked back when a
member withdraws. docs/evaluation.md, "Training data".
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import listings.queries as listings
import members.queries as members
from ai_suggestions import queries
from ai_suggestions.contract import Field, Json, PhotoInput
from ai_suggestions.evaluation.tables import ExportedRun, TrainingExport
from ai_suggestions.models import Decision, FieldSuggestion

COLUMNS = (
    *("week", "market", "department", "provider", "step", "step_version", "run", "consent", "photos"),
    *("field", "state", "value", "alternatives", "confidence", "note", "decision", "decided_value"),
    "edit_distance",
)
"""Of decisions.csv. `run` counts from 1 and ties the fields of one run together; values are JSON."""

PHOTO_COLUMNS = ("run", "position", "sha256", "file")
"""Of photos.csv, which has the photos of members who agreed."""

WORDS_OF_SELLERS = frozenset({Field.TITLE.value, Field.DESCRIPTION.value})
"""Fields whose values are texts: of members who did not agree only whether and how much was changed."""

REMOVAL_COLUMNS = ("export", "folder", "exported_at", "run", "photos", "reason")
"""Of a removal list: the lines of `run` in that export's tables, and its photos, have to go."""

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Exported:
    """How many decisions were written, and how many were not because listing or account are gone."""

    written: int
    withheld: int
    runs_with_consent: int
    photos: int


@dataclass(slots=True)
class _Writing:
    """An export that is being made."""

    folder: Path
    export: TrainingExport
    photos: Any
    numbers: dict[str, int] = field(default_factory=dict)
    consenting: set[str] = field(default_factory=set)
    written: int = 0
    withheld: int = 0
    photo_count: int = 0


def export_decisions(folder: Path, *, since: dt.datetime, until: dt.datetime, now: dt.datetime) -> Exported:
    """Write what was decided in [since, until) into a new folder, with photos where they may leave.

    Raises FileExistsError when the folder is there already, OSError when it cannot be written or a photo
    cannot be read.
    """
    folder.mkdir(mode=0o700, parents=False)
    (folder / "photos").mkdir(mode=0o700)
    export = TrainingExport.objects.create(
        made_at=now, folder=folder.name[:255], since_at=since, until_at=until, decisions=0, withheld=0
    )
    with ExitStack() as stack:
        decisions = _table(stack, folder / "decisions.csv", COLUMNS)
        writing = _Writing(folder, export, _table(stack, folder / "photos.csv", PHOTO_COLUMNS))
        for rows in _decided(since, until):
            kept = _kept(rows)
            consents = members.list_training_consents({row["run__member_id"] for row in kept})
            _export_runs(writing, kept, consents)
            decisions.writerows(_line(row, writing, consents) for row in kept)
            writing.written += len(kept)
            writing.withheld += len(rows) - len(kept)
    TrainingExport.objects.filter(id=export.id).update(decisions=writing.written, withheld=writing.withheld)
    about = {
        "export": export.id,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "decisions": writing.written,
        "runs": len(writing.numbers),
        "runs_with_consent": len(writing.consenting),
        "photos": writing.photo_count,
        "withheld_because_listing_or_account_is_gone": writing.withheld,
        "without": "ids of members, listings and runs, evidence; where `consent` is empty photos, their "
        "hashes and texts too",
    }
    (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return Exported(writing.written, writing.withheld, len(writing.consenting), writing.photo_count)


def _table(stack: ExitStack, file: Path, columns: Sequence[str]) -> Any:
    table = csv.DictWriter(stack.enter_context(file.open("w", newline="", encoding="utf-8")), columns)
    table.writeheader()
    return table


def _decided(since: dt.datetime, until: dt.datetime) -> Iterator[Sequence[dict[str, Any]]]:
    """Suggestions on which somebody decided then, in batches, the oldest run first."""
    rows = (
        FieldSuggestion.objects.exclude(decision=Decision.NONE.value)
        .filter(decided_at__gte=since, decided_at__lt=until)
        .order_by("run_id", "id")
        .values(
            *("run_id", "run__listing_id", "run__member_id", "run__provider", "run__department"),
            "run__inputs",
            *("field", "state", "value", "alternatives", "confidence", "note", "step", "step_version"),
            *("decision", "decided_value", "decided_at", "edit_distance"),
        )
    )
    found = rows.iterator(chunk_size=_BATCH)
    while batch := list(islice(found, _BATCH)):
        yield batch


def _kept(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose listing and whose account are still there."""
    listing_ids = listings.list_kept_ids({row["run__listing_id"] for row in rows})
    facts = members.list_member_facts({row["run__member_id"] for row in rows})
    return [
        row
        for row in rows
        if row["run__listing_id"] in listing_ids
        and (member := facts.get(row["run__member_id"])) is not None
        and member.is_active
    ]


def _export_runs(writing: _Writing, rows: Sequence[Mapping[str, Any]], consents: Mapping[str, str]) -> None:
    """Number the runs that are new, and write down and copy what may leave of them."""
    for row in rows:
        run_id = row["run_id"]
        if run_id in writing.numbers:
            continue
        number = writing.numbers[run_id] = len(writing.numbers) + 1
        consent = consents.get(row["run__member_id"])
        if consent is None:
            continue
        writing.consenting.add(run_id)
        photos = queries.photos_as_seen(row["run__inputs"])
        ExportedRun.objects.create(
            export=writing.export,
            number=number,
            listing_id=row["run__listing_id"],
            member_id=row["run__member_id"],
            consent_version=consent,
            photos=[photo.sha256 for photo in photos],
        )
        _write_photos(writing, number, photos)


def _write_photos(writing: _Writing, number: int, photos: Collection[PhotoInput]) -> None:
    for photo in photos:
        file = f"photos/{photo.sha256}.jpg"
        (writing.folder / file).write_bytes(photo.content)
        writing.photos.writerow(
            {"run": number, "position": photo.position, "sha256": photo.sha256, "file": file}
        )
        writing.photo_count += 1


def _line(row: Mapping[str, Any], writing: _Writing, consents: Mapping[str, str]) -> dict[str, Any]:
    year, week, _ = row["decided_at"].isocalendar()
    inputs: Mapping[str, Any] = row["run__inputs"]
    agreed = row["run_id"] in writing.consenting
    silent = row["field"] in WORDS_OF_SELLERS and not agreed
    return {
        # The week, because the minute of a decision would lead to the listing.
        "week": f"{year}-W{week:02}",
        "market": inputs.get("market", {}).get("country", ""),
        "department": row["run__department"],
        "provider": row["run__provider"],
        "step": row["step"],
        "step_version": row["step_version"],
        "run": writing.numbers[row["run_id"]],
        "consent": consents.get(row["run__member_id"], "") if agreed else "",
        "photos": len(inputs.get("photos", [])),
        "field": row["field"],
        "state": row["state"],
        "value": "" if silent else _json(row["value"]),
        "alternatives": "" if silent else _json([entry["value"] for entry in row["alternatives"]]),
        "confidence": row["confidence"],
        "note": row["note"],
        "decision": row["decision"],
        "decided_value": "" if silent else _json(row["decided_value"]),
        "edit_distance": row["edit_distance"],
    }


def _json(value: Json) -> str:
    return "" if value is None else json.dumps(value, separators=(",", ":"), sort_keys=True)


def removals(*, since: dt.datetime, now: dt.datetime) -> Iterator[dict[str, Any]]:
    """What has to be removed from exports: a member withdrew after it was made, and in or after ``since``, or
    the listing was deleted or removed, whenever that was, or the run is older than runs are kept. Lines of
    REMOVAL_COLUMNS, the oldest export first.
    """
    kept_from = dt.datetime.combine(queries.first_day_kept(now=now), dt.time(), dt.UTC)
    rows = ExportedRun.objects.select_related("export").order_by("id").iterator(chunk_size=_BATCH)
    while batch := list(islice(rows, _BATCH)):
        withdrawals = members.last_withdrawals({row.member_id for row in batch})
        kept = listings.list_kept_ids({row.listing_id for row in batch})
        for row in batch:
            reason = _reason(row, withdrawals.get(row.member_id), since, is_kept=row.listing_id in kept)
            if reason is None and row.export.until_at <= kept_from:
                # All that is in it was decided, and so requested, before.
                reason = "kept_too_long"
            if reason is not None:
                yield {
                    "export": row.export_id,
                    "folder": row.export.folder,
                    "exported_at": row.export.made_at.isoformat(),
                    "run": row.number,
                    "photos": " ".join(f"photos/{sha256}.jpg" for sha256 in row.photos),
                    "reason": reason,
                }


def _reason(
    row: ExportedRun, withdrawn_at: dt.datetime | None, since: dt.datetime, *, is_kept: bool
) -> str | None:
    if withdrawn_at is not None and withdrawn_at >= max(since, row.export.made_at):
        return "consent_withdrawn"
    return None if is_kept else "listing_gone"
