"""What the API of suggestions takes and gives."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ai_suggestions.batch_queries import ITEM_STATUSES
from ai_suggestions.contract import Field, FindingCode, Outcome, Source, Standing
from ai_suggestions.lifecycle import BatchStatus, RunStatus
from ai_suggestions.models import Decision
from ai_suggestions.services.batching import MAX_LISTINGS
from ai_suggestions.services.deciding import ACCEPT, EDIT, REJECT
from foundation.api.serializers import MAX_AMOUNT_MINOR, MoneySerializer, StrictCharField, StrictSerializer
from foundation.money import EXPONENTS

MAX_TEXT = 8000

VALUE_SCHEMA = {
    "description": "An id of the catalogue (category, brand, size, condition, parcel_size), a list of ids "
    "(colours, materials), a text (title, description), or an amount of money (price).",
    "oneOf": [
        {"type": "string", "maxLength": MAX_TEXT},
        {"type": "array", "maxItems": 20, "items": {"type": "string", "maxLength": 100}},
        {
            "type": "object",
            "properties": {
                "amount": {"type": "integer", "minimum": -MAX_AMOUNT_MINOR, "maximum": MAX_AMOUNT_MINOR},
                "currency": {"type": "string", "enum": sorted(EXPONENTS)},
            },
            "required": ["amount", "currency"],
            "additionalProperties": False,
        },
    ],
}
NULLABLE_VALUE_SCHEMA = {**VALUE_SCHEMA, "oneOf": [*VALUE_SCHEMA["oneOf"], {"type": "null"}]}

RUN_STATUSES = [status.value for status in RunStatus]
BATCH_STATUSES = [status.value for status in BatchStatus]


@extend_schema_field(NULLABLE_VALUE_SCHEMA)
class ValueField(serializers.Field[Any, Any, Any, Any]):
    """A field's value in an answer."""

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(VALUE_SCHEMA)
class DecidedValueField(serializers.Field[Any, Any, Any, Any]):
    """A field's value in a request: a text, a list of texts, or money."""

    default_error_messages = {
        "invalid": "A text, a list of ids, or an amount of money.",
        "too_long": "That is too long.",
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            money = MoneySerializer(data=data)
            money.is_valid(raise_exception=True)
            return money.validated_data.as_json()
        if isinstance(data, list):
            if len(data) > 20 or not all(isinstance(item, str) and len(item) <= 100 for item in data):
                self.fail("invalid")
            return data
        if not isinstance(data, str):
            self.fail("invalid")
        if len(data) > MAX_TEXT:
            self.fail("too_long")
        if "\x00" in data:
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class RunRequestSerializer(StrictSerializer):
    """What the seller may add to the photos."""

    department = StrictCharField(
        required=False,
        max_length=60,
        help_text="Id of a department (a root of the categories): for whom or what the thing is. "
        "It is never read from a photo; without it the category is offered as a choice where it matters.",
    )


class DecisionSerializer(StrictSerializer):
    """What the seller decides on one field."""

    field = serializers.ChoiceField(choices=[f.value for f in Field])
    decision = serializers.ChoiceField(choices=[ACCEPT, EDIT, REJECT])
    value = DecidedValueField(
        required=False, help_text="With `edit`: what it should be. With `accept`: one of the values on offer."
    )


class DecisionsSerializer(StrictSerializer):
    """Decisions on several fields: all are taken, or none."""

    decisions = serializers.ListField(child=DecisionSerializer(), min_length=1, max_length=len(Field))


class ProgressSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField(help_text="Steps that ended.")
    total = serializers.IntegerField(help_text="Steps there are; 0 until a worker has begun.")


class BoxSerializer(serializers.Serializer[Any]):
    """A rectangle on a photo, as shares (0-1) of its width and height from the top left corner."""

    left = serializers.FloatField()
    top = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class ComparableSerializer(serializers.Serializer[Any]):
    """An item of this marketplace that resembles this one."""

    listing_id = serializers.CharField()
    title = serializers.CharField()
    price = MoneySerializer()
    sold = serializers.BooleanField(help_text="Whether the price was agreed or only asked.")


class EvidenceSerializer(serializers.Serializer[Any]):
    """One reason for a suggestion."""

    source = serializers.ChoiceField(  # type: ignore[assignment]  # the name in the API
        choices=[s.value for s in Source]
    )
    field = serializers.ChoiceField(
        choices=[f.value for f in Field],
        allow_null=True,
        help_text="Title and description only: the fact in the text that this is the reason for; null for "
        "washing instructions, of which a listing has no field.",
    )
    note = serializers.CharField(allow_null=True, help_text="A stable code, such as `brand_name_on_label`.")
    text = serializers.CharField(allow_null=True, help_text="The words that were read or typed.")
    photo_id = serializers.CharField(allow_null=True)
    box = BoxSerializer(allow_null=True)
    comparables = ComparableSerializer(many=True)


class AlternativeSerializer(serializers.Serializer[Any]):
    """Another value of the field."""

    value = ValueField()
    label = serializers.CharField(  # type: ignore[assignment]  # the name in the API
        allow_null=True, help_text="The value in words, in your language."
    )
    confidence = serializers.FloatField(allow_null=True, help_text="Probability, 0-1.")


class SuggestionSerializer(serializers.Serializer[Any]):
    """What is suggested for one field, why, and what you did with it."""

    field = serializers.ChoiceField(choices=[f.value for f in Field])
    state = serializers.ChoiceField(
        choices=[s.value for s in Standing],
        help_text="`proposed`: fill it in. `choice`: offer the alternatives. `abstained`: nothing to say.",
    )
    value = ValueField(allow_null=True)
    label = serializers.CharField(  # type: ignore[assignment]  # the name in the API
        allow_null=True, help_text="The value in words, in your language."
    )
    confidence = serializers.FloatField(
        allow_null=True,
        help_text="Probability (0-1) that the value is right; for a choice, that an alternative is.",
    )
    alternatives = AlternativeSerializer(many=True)
    evidence = EvidenceSerializer(many=True)
    note = serializers.CharField(
        allow_null=True,
        help_text="Why it is a choice or nothing: a stable code such as `department_unknown`.",
    )
    within = serializers.CharField(
        allow_null=True, help_text="Category only: the parent that is sure although the category is not."
    )
    step = serializers.CharField(help_text="The step that produced it.")
    step_version = serializers.CharField()
    decision = serializers.ChoiceField(choices=[d.value for d in Decision])
    decided_value = ValueField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class StepSerializer(serializers.Serializer[Any]):
    """A step that ended."""

    name = serializers.CharField()
    version = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[o.value for o in Outcome])
    elapsed_ms = serializers.IntegerField()
    error_code = serializers.CharField(allow_null=True)


class PhotoFindingSerializer(serializers.Serializer[Any]):
    """Something about one of your photos that is no field."""

    photo_id = serializers.CharField()
    code = serializers.ChoiceField(
        choices=[code.value for code in FindingCode],
        help_text="`unsafe_photo`: a moderator looks at it before others do; it was not described. "
        "`repeated_in_listing`: an earlier photo of the listing shows the same picture. `already_listed`: a "
        "photo of another listing of yours does.",
    )
    score = serializers.FloatField(help_text="0-1: how sure, or how alike.")
    other_photo_id = serializers.CharField(allow_null=True)
    other_listing_id = serializers.CharField(allow_null=True, help_text="Yours, too.")


class RunSummarySerializer(serializers.Serializer[Any]):
    """A run without its fields."""

    id = serializers.CharField()
    listing_id = serializers.CharField()
    status = serializers.ChoiceField(choices=RUN_STATUSES)
    allowed_actions = serializers.ListField(child=serializers.CharField())
    progress = ProgressSerializer()
    provider = serializers.CharField()
    department = serializers.CharField(allow_null=True, help_text="As you said it in the request.")
    failure_code = serializers.CharField(allow_null=True)
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class RunSerializer(RunSummarySerializer):
    """A run with all it says so far. Fields appear as their steps end."""

    fields = SuggestionSerializer(many=True)  # type: ignore[assignment]  # the name in the API
    photo_findings = PhotoFindingSerializer(many=True)
    steps = StepSerializer(many=True)


class BatchRequestSerializer(StrictSerializer):
    """Which of your listings to look at, in which order."""

    listing_ids = serializers.ListField(
        child=StrictCharField(max_length=26, validators=[RegexValidator(r"^[\x21-\x7e]+\Z")]),
        min_length=1,
        max_length=MAX_LISTINGS,
        help_text="One that is named twice is looked at once.",
    )
    department = StrictCharField(required=False, max_length=60, help_text="Of all of them; as for a run.")

    def validate_listing_ids(self, listing_ids: list[str]) -> list[str]:
        return list(dict.fromkeys(listing_ids))


class BatchProgressSerializer(serializers.Serializer[Any]):
    """How many listings stand where."""

    total = serializers.IntegerField()
    queued = serializers.IntegerField(help_text="Not begun, or waiting for photos or for an LLM.")
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    partial = serializers.IntegerField()  # type: ignore[assignment]  # the name in the API
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    superseded = serializers.IntegerField(help_text="The photos changed and you asked for a newer run.")
    refused = serializers.IntegerField(help_text="No run was made; `problem` says why.")


class BatchProblemSerializer(serializers.Serializer[Any]):
    """Why a listing has no run."""

    type = serializers.CharField()
    code = serializers.CharField()
    title = serializers.CharField()


class BatchItemSerializer(serializers.Serializer[Any]):
    """One listing of a batch."""

    listing_id = serializers.CharField()
    status = serializers.ChoiceField(choices=list(ITEM_STATUSES))
    run_id = serializers.CharField(allow_null=True)
    problem = BatchProblemSerializer(allow_null=True)


class BatchSummarySerializer(serializers.Serializer[Any]):
    """A batch without its listings."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=BATCH_STATUSES)
    allowed_actions = serializers.ListField(child=serializers.CharField())
    progress = BatchProgressSerializer()
    department = serializers.CharField(allow_null=True)
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class BatchSerializer(BatchSummarySerializer):
    """A batch with what became of each listing, in the order in which you sent them."""

    items = BatchItemSerializer(many=True)
