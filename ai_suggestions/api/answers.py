"""Runs as the API shows them: plain dicts, which orjson writes fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as members_of
from typing import Any

from ai_suggestions import queries
from ai_suggestions.catalogue import Catalogue, name_in
from ai_suggestions.contract import Field, Json
from ai_suggestions.lifecycle import seller_actions
from foundation.api import etags


def run_etag(details: queries.RunDetails, language: str) -> str:
    """Names the run, its version, the listing's version, and the language of the labels."""
    return version_etag(details.run, details.listing_version, language)


def version_etag(run: queries.RunFacts, listing_version: int, language: str) -> str:
    """As run_etag, without having read the fields."""
    return etags.etag_for(run.id, run.version, listing_version, language)


def listing_version_in(tag: str, run_id: str) -> int | None:
    """The listing's version that one of our ETags of this run names; None for any other tag."""
    parts = tag.strip('"').split("-")
    if len(parts) < 4 or parts[0] != run_id or not parts[2].isdigit() or len(parts[2]) > 9:
        return None
    return int(parts[2])


def summary(run: queries.RunFacts) -> dict[str, Any]:
    """A run without its fields."""
    return {
        "id": run.id,
        "listing_id": run.listing_id,
        "status": run.status,
        "allowed_actions": list(seller_actions(run.status)),
        "progress": {"done": run.steps_done, "total": run.steps_total},
        "provider": run.provider,
        "department": run.department or None,
        "failure_code": run.failure_code or None,
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def summary_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """As summary, from a row of queries.run_rows."""
    return summary(
        queries.RunFacts(**{member.name: row[member.name] for member in members_of(queries.RunFacts)})
    )


def body(details: queries.RunDetails, language: str) -> dict[str, Any]:
    """A run with all it says so far."""
    catalogue = queries.catalogue()
    order = {field.value: place for place, field in enumerate(Field)}
    return {
        **summary(details.run),
        "fields": [
            _suggestion(found, catalogue, language)
            for found in sorted(details.fields, key=lambda found: order[found.field])
        ],
        "photo_findings": [dict(finding) for step in details.steps for finding in step.findings],
        "steps": [
            {
                "name": step.name,
                "version": step.step_version,
                "outcome": step.outcome,
                "elapsed_ms": step.elapsed_ms,
                "error_code": step.error_code or None,
            }
            for step in details.steps
        ],
    }


def _suggestion(found: queries.SuggestionFacts, catalogue: Catalogue, language: str) -> dict[str, Any]:
    field = Field(found.field)
    return {
        "field": found.field,
        "state": found.state,
        "value": found.value,
        "label": label_of(field, found.value, catalogue, language),
        "confidence": found.confidence,
        "alternatives": [
            {
                "value": alternative["value"],
                "label": alternative.get("label")
                or label_of(field, alternative["value"], catalogue, language),
                "confidence": alternative.get("confidence"),
            }
            for alternative in found.alternatives
        ],
        "evidence": [_evidence(piece) for piece in found.evidence],
        "note": found.note or None,
        "within": found.within or None,
        "step": found.step,
        "step_version": found.step_version,
        "decision": found.decision,
        "decided_value": found.decided_value,
        "decided_at": found.decided_at,
    }


def _evidence(piece: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": piece["source"],
        "field": piece.get("field"),
        "note": piece.get("note"),
        "text": piece.get("text"),
        "photo_id": piece.get("photo_id"),
        "box": piece.get("box"),
        "comparables": [
            {
                "listing_id": item["listing_id"],
                "title": item["title"],
                "price": {"amount": item["price_minor"], "currency": item["currency"]},
                "sold": item["sold"],
            }
            for item in piece.get("comparables", ())
        ],
    }


def label_of(field: Field, value: Json, catalogue: Catalogue, language: str) -> str | None:
    """The value in words; None for what is words already, or is no longer in the catalogue."""
    if value is None:
        return None
    if isinstance(value, list):
        terms = catalogue.colour_by_id if field is Field.COLOURS else catalogue.material_by_id
        return ", ".join(name_in(terms[id_].names, language) for id_ in value if id_ in terms) or None
    if field is Field.CATEGORY and value in catalogue.category_by_id:
        path = [*reversed(catalogue.ancestors_of(value)), value]
        return " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ".join(
            name_in(catalogue.category_by_id[id_].names, language) for id_ in path
        )
    if field is Field.BRAND and value in catalogue.brand_by_id:
        return catalogue.brand_by_id[value].name
    if field is Field.SIZE and value in catalogue.size_by_id:
        return catalogue.size_by_id[value].label
    if field is Field.CONDITION and value in catalogue.condition_by_id:
        return name_in(catalogue.condition_by_id[value].names, language)
    return None
