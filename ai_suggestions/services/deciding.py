"""The seller's word on each field: take it, take it changed, or leave it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from ai_suggestions import metrics, queries
from ai_suggestions.contract import Field, Json, Standing
from ai_suggestions.errors import DecisionsInvalid, RunStatusConflict, SuggestionsStale
from ai_suggestions.lifecycle import RunStatus
from ai_suggestions.models import Decision, FieldSuggestion, SuggestionRun
from ai_suggestions.services.requesting import lock_own_run
from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from foundation.money import Money, UnknownCurrency
from listings.errors import InvalidListing, ListingStale
from listings.services import ListingChange, edit_draft

logger = structlog.get_logger(__name__)

ACCEPT, EDIT, REJECT = "accept", "edit", "reject"

# Field of a suggestion -> member of ListingChange. In listings' problems the pointer is the field's own name.
_TARGETS: MappingProxyType[Field, str] = MappingProxyType(
    {
        Field.CATEGORY: "category_id",
        Field.BRAND: "brand_id",
        Field.COLOURS: "colour_ids",
        Field.SIZE: "size_id",
        Field.CONDITION: "condition_id",
        Field.MATERIALS: "material_ids",
        Field.TITLE: "title",
        Field.DESCRIPTION: "description",
        Field.PRICE: "price",
        Field.PARCEL_SIZE: "parcel_size",
    }
)
_LISTS = frozenset({Field.COLOURS, Field.MATERIALS})


@dataclass(frozen=True, slots=True)
class FieldDecision:
    """What the seller decides on one field.

    ``verb`` is accept, edit or reject. ``value`` goes with edit; with accept it names one of the values on
    offer, which a choice needs. None means not given.
    """

    field: str
    verb: str
    value: Json = None


class _Refused(Exception):
    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(code)
        self.problem = FieldProblem(pointer, code, detail)


@atomic_retry
def decide(
    *,
    member_id: str,
    run_id: str,
    decisions: Sequence[FieldDecision],
    now: dt.datetime,
    listing_version: int | None = None,
) -> queries.RunDetails:
    """Take all decisions, or none; what is accepted or edited is then in the listing.

    ``listing_version`` is the one on which the seller decided (None: whichever it is now). Deciding again on
    a field replaces the decision. Raises RunNotFound, RunStatusConflict (superseded), SuggestionsStale,
    DecisionsInvalid, and from listings ListingStatusConflict, ListingNotFound.
    """
    run = lock_own_run(run_id, member_id)
    if run.status == RunStatus.SUPERSEDED:
        raise RunStatusConflict("The photos changed; decide on the newer run.")
    offered = {s.field: s for s in FieldSuggestion.objects.filter(run_id=run.id).order_by("id")}
    values = _values(decisions, offered)
    _apply(run, decisions, values, now, listing_version)
    for decision, value in zip(decisions, values, strict=True):
        _record(offered[decision.field], decision.verb, value, now)
    SuggestionRun.objects.filter(id=run.id).update(version=F("version") + 1)
    logger.info("suggestions_decided", run_id=run.id, count=len(decisions))
    return queries.get_run(run_id, member_id=member_id)


def _values(decisions: Sequence[FieldDecision], offered: dict[str, FieldSuggestion]) -> list[Json]:
    """The value of each decision. Raises DecisionsInvalid with every problem."""
    problems: list[FieldProblem] = []
    values: list[Json] = []
    seen: set[str] = set()
    for index, decision in enumerate(decisions):
        try:
            values.append(_value(decision, offered.get(decision.field), f"/decisions/{index}", seen))
        except _Refused as refused:
            problems.append(refused.problem)
        seen.add(decision.field)
    if problems:
        raise DecisionsInvalid(errors=problems)
    return values


def _value(decision: FieldDecision, suggestion: FieldSuggestion | None, at: str, seen: set[str]) -> Json:
    if decision.field in seen:
        raise _Refused(f"{at}/field", "field_twice", "Decide once on each field.")
    if suggestion is None:
        raise _Refused(f"{at}/field", "no_suggestion", "The run says nothing about this field (yet).")
    if decision.verb == REJECT:
        if decision.value is not None:
            raise _Refused(f"{at}/value", "value_not_needed", "A rejection has no value.")
        return None
    if decision.verb == EDIT:
        if decision.value is None:
            raise _Refused(f"{at}/value", "value_needed", "Say what it should be.")
        return _checked(Field(decision.field), decision.value, f"{at}/value")
    if suggestion.state == Standing.ABSTAINED:
        raise _Refused(f"{at}/field", "nothing_to_accept", "Nothing was suggested; edit the field instead.")
    if decision.value is None:
        if suggestion.value is None:
            raise _Refused(f"{at}/value", "choose_one", "It is a choice: name one of the alternatives.")
        return suggestion.value
    on_offer = [suggestion.value, *(alternative["value"] for alternative in suggestion.alternatives)]
    if decision.value not in on_offer:
        raise _Refused(f"{at}/value", "not_offered", "That was not suggested; edit the field instead.")
    return decision.value


def _checked(field: Field, value: Json, at: str) -> Json:
    """Whether the value has the field's shape; what it may be is for listings to say."""
    if field is Field.PRICE:
        try:
            good = isinstance(value, dict) and set(value) == {"amount", "currency"}
            return Money(value["amount"], value["currency"]).as_json() if good else _wrong(at, field)
        except (TypeError, UnknownCurrency):
            return _wrong(at, field)
    if field in _LISTS:
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    else:
        good = isinstance(value, str)
    return value if good else _wrong(at, field)


def _wrong(at: str, field: Field) -> Json:
    shape = {
        Field.PRICE: "an amount of money",
        Field.COLOURS: "a list of ids",
        Field.MATERIALS: "a list of ids",
    }
    raise _Refused(at, "wrong_type", f"A value of {field.value} is {shape.get(field, 'a text')}.")


def _apply(
    run: SuggestionRun,
    decisions: Sequence[FieldDecision],
    values: Sequence[Json],
    now: dt.datetime,
    listing_version: int | None,
) -> None:
    """Write what was taken into the listing, through listings' own verb."""
    changes: dict[str, Any] = {}
    asked_at: dict[str, str] = {}
    for index, (decision, value) in enumerate(zip(decisions, values, strict=True)):
        if decision.verb == REJECT:
            continue
        field = Field(decision.field)
        changes[_TARGETS[field]] = _native(field, value)
        asked_at[f"/{field.value}"] = f"/decisions/{index}/value"
    if not changes and listing_version is None:
        return
    try:
        edit_draft(
            seller_id=run.member_id,
            listing_id=run.listing_id,
            change=ListingChange(**changes),
            now=now,
            expected_version=listing_version,
        )
    except ListingStale as stale:
        raise SuggestionsStale(stale.detail) from None
    except InvalidListing as invalid:
        # Told where the client said it; what breaks a rule elsewhere keeps the listing's own pointer.
        problems = [
            FieldProblem(_translated(problem.pointer, asked_at), problem.code, problem.detail)
            for problem in invalid.errors
        ]
        raise DecisionsInvalid(errors=problems) from None


def _native(field: Field, value: Json) -> object:
    if field is Field.PRICE:
        return Money(value["amount"], value["currency"])
    return tuple(value) if field in _LISTS else value


def _translated(pointer: str, asked_at: dict[str, str]) -> str:
    for before, after in asked_at.items():
        if pointer == before or pointer.startswith(f"{before}/"):
            return after + pointer.removeprefix(before)
    return f"/listing{pointer}"


def _record(suggestion: FieldSuggestion, verb: str, value: Json, now: dt.datetime) -> None:
    if verb == REJECT:
        decision = Decision.REJECTED
    elif verb == ACCEPT or value == suggestion.value:
        # An edit that changes nothing is an acceptance.
        decision = Decision.ACCEPTED
    else:
        decision = Decision.EDITED
    distance = None
    if decision is not Decision.REJECTED and suggestion.value is not None:
        distance = edit_distance(suggestion.value, value)
    FieldSuggestion.objects.filter(id=suggestion.id).update(
        decision=decision.value, decided_value=value, decided_at=now, edit_distance=distance, updated_at=now
    )
    counted = metrics.DECISIONS.labels(suggestion.field, decision.value)
    transaction.on_commit(counted.inc)


# Above this many comparisons words are counted instead of characters: a request must not take seconds.
_MOST_COMPARISONS = 250_000


def edit_distance(before: Json, after: Json) -> int:
    """What changed: characters for a text (insert, delete, replace), entries for a list, else 0 or 1."""
    if isinstance(before, str) and isinstance(after, str):
        if len(before) * len(after) > _MOST_COMPARISONS:
            return _levenshtein(before.split()[:500], after.split()[:500])
        return _levenshtein(before, after)
    if isinstance(before, list) and isinstance(after, list):
        return _levenshtein(before, after)
    return int(before != after)


def _levenshtein(before: Sequence[object], after: Sequence[object]) -> int:
    row = list(range(len(after) + 1))
    for i, left in enumerate(before, start=1):
        previous, row[0] = row[0], i
        for j, right in enumerate(after, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]
