"""What the API takes and gives of tax profiles and evidence."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dac7.dossiers import EntityType, Level
from dac7.lifecycle.profiles import CheckStatus, DocumentStatus
from dac7.models import ProfileCheck, TaxDocument
from dac7.profile_rules import GivenTin, ProfileDetails, tidied, tidied_vat
from foundation.api.serializers import (
    FieldProblemSerializer,
    StrictBooleanField,
    StrictCharField,
    StrictSerializer,
)

# A text beyond this is no typing mistake; up to it every problem of the rules is named in words.
_LONGEST = 1000

ENTITY_TYPES = [(kind.value, kind.value) for kind in EntityType]
LEVELS = [(level.value, level.value) for level in Level]
CHECK_STATUSES = [(status.value, status.value) for status in CheckStatus]
CHECK_KINDS = [(kind.value, kind.value) for kind in ProfileCheck.Kind]
DOCUMENT_STATUSES = [(status.value, status.value) for status in DocumentStatus]
DOCUMENT_KINDS = [(kind.value, kind.value) for kind in TaxDocument.Kind]


def _text(help_text: str = "", **options: Any) -> StrictCharField:
    # Controls and blanks are for the rules: they answer in words.
    return StrictCharField(
        max_length=_LONGEST,
        allow_blank=True,
        allow_null=True,
        required=False,
        trim_whitespace=False,
        help_text=help_text,
        **options,
    )


def _country(help_text: str, *, required: bool = False) -> StrictCharField:
    return StrictCharField(
        max_length=2, required=required, allow_null=not required, allow_blank=False, help_text=help_text
    )


class TaxAddressSerializer(StrictSerializer):
    """The primary address: where somebody lives, or where an entity has its seat."""

    street = _text("With the number, unless `building` has it.")
    building = _text()
    postal_code = _text()
    city = _text()
    country = _country("ISO 3166-1 alpha-2; Greece is GR.")


class BirthPlaceSerializer(StrictSerializer):
    """Asked only of individuals without a tax number."""

    city = _text()
    country = _country("ISO 3166-1 alpha-2, as the state is called today.")


class GivenTinSerializer(StrictSerializer):
    """A tax number and the state that issued it."""

    state = _country("ISO 3166-1 alpha-2; Greece is GR.", required=True)
    number = _text("Leave it out to keep the one that is known of this state.")


class TaxProfileDetailsSerializer(StrictSerializer):
    """Everything that a seller says. What is not asked of somebody is left out, empty or null."""

    entity_type = serializers.ChoiceField(choices=ENTITY_TYPES)
    first_name = _text()
    last_name = _text()
    birth_date = serializers.DateField(allow_null=True, required=False)
    birth_place = BirthPlaceSerializer(allow_null=True, required=False)
    legal_name = _text("As in the business register.")
    registration_number = _text("In the business register.")
    registered_in = _country("State of that register, if it is not the state of the address.")
    establishments = serializers.ListField(
        child=_country("ISO 3166-1 alpha-2.", required=True),
        max_length=27,
        required=False,
        help_text="Member states in which an entity has a permanent establishment.",
    )
    address = TaxAddressSerializer()
    tins = GivenTinSerializer(many=True, required=False)
    has_no_tin = StrictBooleanField(required=False, default=False)
    vat_number = _text("With the state's two letters.")


def details_from(body: dict[str, Any]) -> ProfileDetails:
    """The validated body as what the rules look at."""

    def text(given: dict[str, Any] | None, name: str) -> str:
        return tidied((given or {}).get(name) or "")

    address, born = body["address"], body.get("birth_place")
    return ProfileDetails(
        entity_type=EntityType(body["entity_type"]),
        first_name=text(body, "first_name"),
        last_name=text(body, "last_name"),
        birth_date=body.get("birth_date"),
        birth_city=text(born, "city"),
        birth_country=text(born, "country").upper(),
        legal_name=text(body, "legal_name"),
        registration_number=text(body, "registration_number"),
        registered_in=text(body, "registered_in").upper(),
        establishments=tuple(state.upper() for state in body.get("establishments") or ()),
        street=text(address, "street"),
        building=text(address, "building"),
        postal_code=text(address, "postal_code"),
        city=text(address, "city"),
        country=text(address, "country").upper(),
        tins=tuple(
            GivenTin(tin["state"].upper(), tidied(tin.get("number") or "") or None)
            for tin in body.get("tins") or ()
        ),
        has_no_tin=body["has_no_tin"],
        vat_number=tidied_vat(body.get("vat_number") or ""),
    )


class TinFactsSerializer(serializers.Serializer[Any]):
    """A tax number that is known: masked, for its owner too."""

    state = serializers.CharField()
    ending = serializers.CharField(help_text="Its last characters.")
    level = serializers.ChoiceField(choices=LEVELS, help_text="How far it could be checked.")
    checked_at = serializers.DateTimeField()


class TaxCheckSerializer(serializers.Serializer[Any]):
    """A comparison with what others know. Nothing is held against a seller while it waits."""

    kind = serializers.ChoiceField(choices=CHECK_KINDS)
    about = serializers.CharField(help_text="State of the tax number it is about, or empty.")
    status = serializers.ChoiceField(choices=CHECK_STATUSES)
    reason = serializers.CharField(help_text="What did not fit: a stable code, or empty.")
    changed_at = serializers.DateTimeField()


class TinGuideSerializer(serializers.Serializer[Any]):
    """A number that a state takes as tax number."""

    state = serializers.CharField()
    name = serializers.CharField(help_text="As it is called there.")
    shapes = serializers.ListField(
        child=serializers.CharField(),
        help_text="9 a digit, A a letter, * either, S one of + - A to F, U to Y.",
    )
    example = serializers.CharField()
    where = serializers.ListField(
        child=serializers.CharField(), help_text="Where to find it, in the language of the request."
    )


class TinGuideListSerializer(serializers.Serializer[Any]):
    results = TinGuideSerializer(many=True)


class TinGuideQuerySerializer(StrictSerializer):
    state = StrictCharField(min_length=2, max_length=2, help_text="ISO 3166-1 alpha-2.")
    entity_type = serializers.ChoiceField(choices=ENTITY_TYPES, default=EntityType.INDIVIDUAL.value)


class TaxProfileSerializer(serializers.Serializer[Any]):
    """What is known, given or proposed, and what is still to be said."""

    is_given = serializers.BooleanField(
        help_text="False: a proposal from what is known already; nothing is kept."
    )
    entity_type = serializers.ChoiceField(choices=ENTITY_TYPES)
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    birth_date = serializers.DateField(allow_null=True)
    birth_place = BirthPlaceSerializer(allow_null=True)
    legal_name = serializers.CharField()
    registration_number = serializers.CharField()
    registered_in = serializers.CharField(help_text="Empty: the state of the address.")
    establishments = serializers.ListField(child=serializers.CharField())
    address = TaxAddressSerializer()
    tins = TinFactsSerializer(many=True)
    has_no_tin = serializers.BooleanField()
    vat_number = serializers.CharField()
    missing = FieldProblemSerializer(
        many=True, help_text="All that is still asked for, as pointers into PUT."
    )
    checks = TaxCheckSerializer(many=True)
    tin_guide = TinGuideSerializer(
        many=True, help_text="What the tax number is in the country of the address."
    )
    changed_at = serializers.DateTimeField(allow_null=True)


class TaxErasureSerializer(serializers.Serializer[Any]):
    kept_until = serializers.DateField(help_text="The last day on which the law has us keep it.")


class TaxDocumentSerializer(serializers.Serializer[Any]):
    """Evidence that was sent; what it shows cannot be read back."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=DOCUMENT_KINDS)
    media_type = serializers.CharField(help_text="As stored; pictures are stored as JPEG.")
    size = serializers.IntegerField(help_text="Bytes, as stored.")
    status = serializers.ChoiceField(choices=DOCUMENT_STATUSES)
    reason = serializers.CharField(help_text="What was said of it, or empty.")
    uploaded_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class TaxDocumentListSerializer(serializers.Serializer[Any]):
    results = TaxDocumentSerializer(many=True)


DOCUMENT_REQUEST = {
    "multipart/form-data": {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": [kind.value for kind in TaxDocument.Kind]},
            "file": {"type": "string", "format": "binary", "minLength": 1},
        },
        "required": ["kind", "file"],
        "additionalProperties": False,
    }
}
