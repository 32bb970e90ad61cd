"""What the model is asked to answer, as typed models; the JSON schema on the wire is made from them.

Nothing here is believed yet: ``proposals`` holds each part against the catalogue and the evidence.
"""

from __future__ import annotations

import copy
import json
import re
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ai_suggestions.contract import Json
from ai_suggestions.llm.outcomes import CallFailed, Problem

# Braces that are tried as the start of the answer in a text; each costs a parse of what follows.
_MOST_STARTS = 20
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


class Certainty(StrEnum):
    """How sure the model says it is. Words, not numbers: a model's percentages mean nothing by themselves."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Thing(_Part):
    id: str = Field(max_length=100)
    certainty: Certainty


class Brand(_Part):
    name: str = Field(max_length=100)
    quote: str = Field(max_length=500, description="the words that name it, exactly as they are read")
    photo: int | None = Field(description="number of the photo; null when the seller wrote it")
    certainty: Certainty


class Size(_Part):
    label: str = Field(max_length=40, description="the size itself, as printed: 'M', '38', 'W32 L34'")
    quote: str = Field(max_length=500)
    photo: int | None
    certainty: Certainty


class Material(_Part):
    id: str = Field(max_length=100)
    quote: str = Field(max_length=500)
    photo: int | None
    certainty: Certainty


class Colour(_Part):
    id: str = Field(max_length=100)
    certainty: Certainty


class Condition(_Part):
    id: str = Field(max_length=100)
    signs: str = Field(max_length=500, description="the wear that is seen")
    photo: int
    certainty: Certainty


class Answer(_Part):
    """The whole answer."""

    # The one part without a default, so that any other JSON object is no answer.
    things: tuple[Thing, ...] = Field(max_length=20, description="best first, at most 4")
    photo: int | None = Field(default=None, description="number of the photo that shows the thing best")
    colours: tuple[Colour, ...] = Field(default=(), max_length=20, description="main colour first, at most 2")
    brand: Brand | None = None
    size: Size | None = None
    materials: tuple[Material, ...] = Field(
        default=(), max_length=20, description="main material first, at most 3"
    )
    condition: Condition | None = None
    title: str | None = Field(default=None, max_length=1000)
    description: str | None = Field(default=None, max_length=10000)


def schema_for(
    *, things: list[str], colours: list[str], materials: list[str], conditions: list[str]
) -> dict[str, Json]:
    """The JSON schema of ``Answer`` for one catalogue, in the subset that strict endpoints accept.

    Strict mode wants every property required, no further ones, and knows no lengths (OpenAI's guide to
    structured outputs); the lengths are checked when the answer is read.
    """
    schema: dict[str, Json] = _strict(Answer.model_json_schema())
    for name, ids in (
        ("Thing", things),
        ("Colour", colours),
        ("Material", materials),
        ("Condition", conditions),
    ):
        schema["$defs"][name]["properties"]["id"] = {"type": "string", "enum": ids}
    return schema


def _strict(node: Json) -> Json:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return copy.copy(node)
    unknown = {"title", "default", "maxLength", "minLength", "maxItems", "minItems"}
    kept: dict[str, Json] = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: _strict(child) for name, child in value.items()}
        elif key not in unknown:
            kept[key] = _strict(value)
    if kept.get("type") == "object":
        kept["required"] = list(kept.get("properties", {}))
        kept["additionalProperties"] = False
    if "$ref" in kept:
        # Beside a reference, strict endpoints accept nothing.
        return {"$ref": kept["$ref"]}
    return kept


def answer_in(text: str) -> Answer:
    """The answer in a model's text: the text itself, or the first JSON object in it.

    Raises:
        CallFailed: INVALID_JSON when there is no JSON object, INVALID_ANSWER when none is such an answer.
    """
    try:
        return Answer.model_validate_json(text)
    except ValidationError:
        pass
    objects = _objects_in(_THOUGHTS.sub("", text))
    if not objects:
        raise CallFailed(Problem.INVALID_JSON, status=200)
    for found in objects:
        try:
            return Answer.model_validate(found)
        except ValidationError:
            continue
    raise CallFailed(Problem.INVALID_ANSWER, status=200)


def _objects_in(text: str) -> list[dict[str, Any]]:
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    at = text.find("{")
    for _ in range(_MOST_STARTS):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    return found
