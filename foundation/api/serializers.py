"""Shapes that all apps share."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from foundation.money import EXPONENTS, Money

MAX_AMOUNT_MINOR = 2**53 - 1  # what JavaScript clients read exactly


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know, beside every other problem."""

    def to_internal_value(self, data: Any) -> Any:
        problems: dict[str, Any] = {}
        value: Any = {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not isinstance(data, Mapping):
                raise
            problems = dict(error.detail) if isinstance(error.detail, dict) else {}
        known = {name for name, field in self.fields.items() if not field.read_only}
        for name in data:
            if name not in known:
                problems[str(name)] = [
                    serializers.ErrorDetail("There is no such field.", code="unknown_field")
                ]
        if problems:
            raise serializers.ValidationError(problems)
        return value


class StrictBooleanField(serializers.BooleanField):
    """true or false; DRF's own also takes "yes", "on" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if data is not True and data is not False:
            self.fail("invalid", input=data)
        return bool(data)


class StrictIntegerField(serializers.IntegerField):
    """A JSON integer; DRF's own also takes "12". 12.0 is one too: JSON knows no two kinds of numbers."""

    def to_internal_value(self, data: Any) -> int:
        # Beyond 2**53 a number with a point may stand for several integers.
        if type(data) is float and data.is_integer() and abs(data) <= MAX_AMOUNT_MINOR:
            data = int(data)
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A JSON string; DRF's own also takes numbers."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictRegexField(serializers.RegexField):
    """A JSON string of a form; DRF's own also takes numbers."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


# RFC 3339 section 5.6: with its offset. DRF alone would also take a local time, and guess.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class InstantField(serializers.DateTimeField):
    """An RFC 3339 instant; its offset is needed."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            self.fail("invalid", format="2026-03-01T00:00:00Z")
        return super().to_internal_value(value.upper())


class MoneySerializer(StrictSerializer):
    """`{"amount": 2470, "currency": "EUR"}`: whole minor units of an ISO 4217 currency."""

    amount = StrictIntegerField(
        min_value=-MAX_AMOUNT_MINOR, max_value=MAX_AMOUNT_MINOR, help_text="Minor units, such as cents."
    )
    currency = serializers.ChoiceField(choices=sorted(EXPONENTS), help_text="ISO 4217 code.")

    def to_internal_value(self, data: Any) -> Money:
        value = super().to_internal_value(data)
        # In a PATCH nothing is required, and DRF passes that on to nested members; half an amount is none.
        missing = {name for name in ("amount", "currency") if name not in value}
        if missing:
            raise serializers.ValidationError(
                {name: self.fields[name].error_messages["required"] for name in sorted(missing)},
                code="required",
            )
        return Money(value["amount"], value["currency"])

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return instance.as_json() if isinstance(instance, Money) else dict(instance)


class FieldProblemSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(
        help_text="RFC 6901 pointer into the body, or the name of a query parameter.", allow_blank=True
    )
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """application/problem+json (RFC 9457). Errors may carry further members that their page documents."""

    type = serializers.CharField(help_text="Address of the page that explains this error.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable and meant for programs.")
    instance = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    errors = FieldProblemSerializer(many=True, required=False)  # type: ignore[assignment]  # a member named as RFC 9457 examples do
