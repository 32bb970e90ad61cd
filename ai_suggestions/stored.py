"""Proposals as they are kept in JSON columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from ai_suggestions.contract import Alternative, Evidence, Json, PhotoFinding


def stored_confidence(confidence: float | None) -> float | None:
    """To four digits: more are noise, and clients show what they get."""
    return None if confidence is None else round(confidence, 4)


def alternatives_json(alternatives: Sequence[Alternative]) -> Json:
    """``[{"value", "confidence", "label"}]``."""
    return [
        asdict(alternative) | {"confidence": stored_confidence(alternative.confidence)}
        for alternative in alternatives
    ]


def findings_json(findings: Sequence[PhotoFinding]) -> Json:
    """``[{"photo_id", "code", "score", "other_photo_id", "other_listing_id"}]``."""
    return [asdict(finding) for finding in findings]


def evidence_json(evidence: Sequence[Evidence]) -> Json:
    """One object for each piece, with the members that say something."""
    return [
        {name: value for name, value in asdict(piece).items() if value not in (None, (), [])}
        for piece in evidence
    ]
