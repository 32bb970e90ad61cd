"""What sellers did with suggestions, for whoever improves them: decisions without photos, texts or people.

Members cannot say yet that their photos and texts may be learned from, so neither these nor anything that
leads to them (ids, hashes, what was read on a label) leaves the database. docs/evaluation.md, "Decisions".
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import listings.queries as listings
import members.queries as members
from ai_suggestions.contract import Field, Json
from ai_suggestions.models import Decision, FieldSuggestion

COLUMNS = (
    *("week", "market", "department", "provider", "step", "step_version", "run", "photos", "field", "state"),
    *("value", "alternatives", "confidence", "note", "decision", "decided_value", "edit_distance"),
)
"""Of decisions.csv. `run` counts from 1 and ties the fields of one run together; values are JSON."""

WORDS_OF_SELLERS = frozenset({Field.TITLE.value, Field.DESCRIPTION.value})
"""Fields whose values are texts: only whether they were taken, and how much was changed, is told."""

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Exported:
    """How many decisions were written, and how many were not because listing or account are gone."""

    written: int
    withheld: int


def export_decisions(folder: Path, *, since: dt.datetime, until: dt.datetime) -> Exported:
    """Write decisions.csv and about.json into a new folder: what was decided in [since, until).

    Raises FileExistsError when the folder is there already, OSError when it cannot be written.
    """
    folder.mkdir(mode=0o700, parents=False)
    written = withheld = 0
    runs: dict[str, int] = {}
    with (folder / "decisions.csv").open("w", newline="", encoding="utf-8") as lines:
        table = csv.DictWriter(lines, COLUMNS)
        table.writeheader()
        for rows in _decided(since, until):
            kept = _kept(rows)
            table.writerows(_line(row, runs.setdefault(row["run_id"], len(runs) + 1)) for row in kept)
            written += len(kept)
            withheld += len(rows) - len(kept)
    about = {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "decisions": written,
        "runs": len(runs),
        "withheld_because_listing_or_account_is_gone": withheld,
        "without": "photos, their hashes, texts, evidence, ids of members, listings and runs",
    }
    (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return Exported(written, withheld)


def _decided(since: dt.datetime, until: dt.datetime) -> Iterator[Sequence[dict[str, Any]]]:
    """Suggestions on which somebody decided then, in batches, the oldest run first."""
    rows = (
        FieldSuggestion.objects.exclude(decision=Decision.NONE.value)
        .filter(decided_at__gte=since, decided_at__lt=until)
        .order_by("run_id", "id")
        .values(
            *(
                "run_id",
                "run__listing_id",
                "run__member_id",
                "run__provider",
                "run__department",
                "run__inputs",
            ),
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


def _line(row: Mapping[str, Any], run: int) -> dict[str, Any]:
    year, week, _ = row["decided_at"].isocalendar()
    inputs: Mapping[str, Any] = row["run__inputs"]
    silent = row["field"] in WORDS_OF_SELLERS
    return {
        # The week, because the minute of a decision would lead to the listing.
        "week": f"{year}-W{week:02}",
        "market": inputs.get("market", {}).get("country", ""),
        "department": row["run__department"],
        "provider": row["run__provider"],
        "step": row["step"],
        "step_version": row["step_version"],
        "run": run,
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
