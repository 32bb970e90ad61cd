"""Shapes of bodies and parameters. Answers are plain dicts (listings.api.answers); here is what they hold."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.pagination import PageQuery
from foundation.api.serializers import (
    MAX_AMOUNT_MINOR,
    MoneySerializer,
    StrictCharField,
    StrictSerializer,
)
from foundation.ids import ID_PATTERN
from foundation.money import EXPONENTS
from listings.lifecycle import PhotoStatus, Status
from listings.models.catalogue import SLUG_LENGTH
from listings.rules import PARCEL_SIZES

MAX_IDS = 30
STATUSES = [status.value for status in Status]
PHOTO_STATUSES = [status.value for status in PhotoStatus]
# Texts longer than this are not worth counting; the rules' own limits are far below.
_MAX_TEXT = 20_000


class SlugField(StrictCharField):
    """A catalogue id."""

    def __init__(self, **kwargs: Any) -> None:
        # What is no slug is no id of anything: the rules say so, in words that fit the field.
        super().__init__(max_length=SLUG_LENGTH, trim_whitespace=False, **kwargs)


_IDS = f"^[a-z0-9_-]{{1,{SLUG_LENGTH}}}(,[a-z0-9_-]{{1,{SLUG_LENGTH}}}){{0,{MAX_IDS - 1}}}$"
_STATUSES = f"^({'|'.join(STATUSES)})(,({'|'.join(STATUSES)})){{0,{MAX_IDS - 1}}}$"


@extend_schema_field({"type": "string", "pattern": _IDS})
class IdsField(serializers.CharField):
    """Several ids in one query parameter, separated by commas: any of them."""

    pattern = _IDS

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not re.fullmatch(self.pattern, text):
            raise serializers.ValidationError(f"1 to {MAX_IDS} ids, separated by commas.", code="invalid")
        return tuple(dict.fromkeys(text.split(",")))


@extend_schema_field({"type": "string", "pattern": _STATUSES})
class StatusesField(IdsField):
    """Statuses in the same form."""

    pattern = _STATUSES


class ListingBodySerializer(StrictSerializer):
    """What a seller says of a thing. Nothing is required in a draft; null or [] empties a field."""

    title = StrictCharField(
        required=False, allow_blank=True, max_length=_MAX_TEXT, help_text="5 to 100 characters to publish."
    )
    description = StrictCharField(
        required=False, allow_blank=True, max_length=_MAX_TEXT, help_text="5 to 2,000 characters to publish."
    )
    category = SlugField(required=False, allow_null=True, help_text="A leaf of /catalogue/categories.")
    brand = SlugField(required=False, allow_null=True, help_text="`no-brand` for a thing without one.")
    size = SlugField(required=False, allow_null=True, help_text="`no-label` for a thing without one.")
    condition = SlugField(required=False, allow_null=True)
    colours = serializers.ListField(
        child=SlugField(), required=False, max_length=10, help_text="At most 2, the main colour first."
    )
    materials = serializers.ListField(
        child=SlugField(), required=False, max_length=10, help_text="At most 3, the main one first."
    )
    price = MoneySerializer(required=False, allow_null=True, help_text="In the listing's currency.")
    parcel_size = serializers.ChoiceField(choices=PARCEL_SIZES, required=False, allow_null=True)


class ListingChangeSerializer(ListingBodySerializer):
    """Only what is given is changed."""

    photos = serializers.ListField(
        child=serializers.RegexField(f"^{ID_PATTERN}$"),
        required=False,
        max_length=20,
        help_text="The ids of all photos in their new order; the first is the cover.",
    )


class BrowseQuery(PageQuery):
    """What a buyer looks for. Several ids are separated by commas and mean any of them."""

    category = IdsField(required=False, help_text="With everything below it.")
    brand = IdsField(required=False)
    size = IdsField(required=False)
    colour = IdsField(required=False)
    condition = IdsField(required=False)
    currency = serializers.ChoiceField(
        choices=sorted(EXPONENTS), required=False, help_text="Needed to filter or sort by price."
    )
    price_min = serializers.IntegerField(
        min_value=0, max_value=MAX_AMOUNT_MINOR, required=False, help_text="Minor units, inclusive."
    )
    price_max = serializers.IntegerField(
        min_value=0, max_value=MAX_AMOUNT_MINOR, required=False, help_text="Minor units, inclusive."
    )
    country = serializers.RegexField("^[A-Z]{2}$", required=False, help_text="ISO 3166-1 alpha-2.")
    seller = serializers.RegexField(f"^{ID_PATTERN}$", required=False)
    sort = serializers.ChoiceField(choices=("-published_at", "price", "-price"), default="-published_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        by_price = attrs["sort"] != "-published_at" or "price_min" in attrs or "price_max" in attrs
        if by_price and "currency" not in attrs:
            message = "Prices compare within one currency only: name it."
            raise serializers.ValidationError({"currency": [serializers.ErrorDetail(message, "required")]})
        return attrs


class OwnListingsQuery(PageQuery):
    status = StatusesField(required=False, help_text="Any of these statuses, separated by commas.")


class BrandsQuery(StrictSerializer):
    q = serializers.CharField(
        required=False, max_length=80, help_text="How a name or another spelling starts."
    )
    limit = serializers.IntegerField(min_value=1, max_value=50, default=20)


class CategoriesQuery(StrictSerializer):
    parent = serializers.CharField(  # type: ignore[assignment]  # declared fields leave the class
        required=False, max_length=SLUG_LENGTH, help_text="Only what is directly below."
    )


class SizesQuery(StrictSerializer):
    category = serializers.CharField(required=False, max_length=SLUG_LENGTH, help_text="Only its sizes.")


class ConditionsQuery(StrictSerializer):
    category = serializers.CharField(required=False, max_length=SLUG_LENGTH, help_text="Only its conditions.")


class PhotoUploadSerializer(StrictSerializer):
    photo = serializers.FileField(help_text="JPEG, PNG, WebP or HEIC; at most 20 MB and 60 megapixels.")


# --- Answers, for the OpenAPI document ------------------------------------------------------------


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}})
class RenditionsField(serializers.DictField):
    """Address by longest side in pixels, such as {"320": …, "800": …, "1600": …}."""


class PhotoSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    position = serializers.IntegerField(help_text="0 is the cover.")
    status = serializers.ChoiceField(choices=PHOTO_STATUSES)
    failure = serializers.CharField(
        allow_null=True, help_text="Why it failed, as a code: replace or delete it."
    )
    review = serializers.ChoiceField(
        choices=("pending", "rejected"),
        allow_null=True,
        help_text="`pending`: a check flagged it, a moderator looks before others do. `rejected`: it may not "
        "be shown; replace or delete it.",
    )
    review_reason = serializers.CharField(allow_null=True, help_text="Why, as a code: `unsafe_photo`.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    renditions = RenditionsField(help_text="Empty until it is ready.")
    uploaded_at = serializers.DateTimeField()


class PhotoListSerializer(serializers.Serializer[Any]):
    results = PhotoSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class CoverSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    renditions = RenditionsField()


class _CommonSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    allowed_actions = serializers.ListField(child=serializers.CharField(), help_text="What you may do now.")
    seller = serializers.CharField(help_text="A member's id.")
    country = serializers.CharField()
    currency = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_null=True)
    brand = serializers.CharField(allow_null=True)
    size = serializers.CharField(allow_null=True)
    condition = serializers.CharField(allow_null=True)
    price = MoneySerializer(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)


class ListingCardSerializer(_CommonSerializer):
    """A listing as lists show it."""

    cover = CoverSerializer(allow_null=True)


class OwnListingCardSerializer(ListingCardSerializer):
    hidden_by = serializers.CharField(allow_null=True)
    moderation_reason = serializers.CharField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ListingSerializer(_CommonSerializer):
    """A listing. The last four are told to its seller only, and null for others."""

    description = serializers.CharField(allow_blank=True)
    colours = serializers.ListField(child=serializers.CharField())
    materials = serializers.ListField(child=serializers.CharField())
    parcel_size = serializers.CharField(allow_null=True)
    photos = PhotoSerializer(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    hidden_by = serializers.CharField(
        allow_null=True, help_text="seller, moderation, or trade: its sale was undone."
    )
    moderation_reason = serializers.CharField(allow_null=True, help_text="A code.")
    due_at = serializers.DateTimeField(allow_null=True, help_text="When the status ends by itself.")


class CategorySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    parent = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # as above
    name = serializers.CharField()
    is_leaf = serializers.BooleanField(help_text="Listings can be put in leaves only.")


class TermSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class ColourSerializer(TermSerializer):
    hex = serializers.CharField(allow_null=True, help_text="#RRGGBB.")


class BrandSerializer(TermSerializer):
    pass


class SizeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    system = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    aliases = serializers.ListField(child=serializers.CharField(), help_text="Other ways it is written.")


class CategoryAttributesSerializer(serializers.Serializer[Any]):
    """What a listing of a category has to state, and what it can choose from."""

    category = serializers.CharField()
    required = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]  # as above
    parcel_size = serializers.CharField(allow_null=True, help_text="The usual one.")
    sizes = SizeSerializer(many=True)
    conditions = TermSerializer(many=True)
    max_colours = serializers.IntegerField()
    max_materials = serializers.IntegerField()


def complete_list(name: str, item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The shape of a list that is always whole: `next` and `previous` are null."""
    fields: dict[str, Any] = {
        "results": item(many=True),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "__doc__": f"All of {item.__name__.removesuffix('Serializer')}.",
    }
    return type(name, (serializers.Serializer,), fields)


UPLOAD_REQUEST = {
    "multipart/form-data": {
        "type": "object",
        "properties": {"photo": {"type": "string", "format": "binary", "minLength": 1}},
        "required": ["photo"],
        "additionalProperties": False,
    }
}
