"""What the API of members takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.api.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictRegexField,
    StrictSerializer,
)
from foundation.ids import ID_PATTERN
from members.models import Restriction


class MarketSerializer(serializers.Serializer[Any]):
    """A country with its currency. Members can join it while `is_enabled`."""

    code = serializers.CharField(help_text="ISO 3166-1 alpha-2.")
    name = serializers.CharField(help_text="In English.")
    currency = serializers.CharField(help_text="ISO 4217.")
    languages = serializers.ListField(
        child=serializers.CharField(), help_text="ISO 639-1, the default first."
    )
    locale = serializers.CharField(help_text="BCP 47 tag of the default language.")
    time_zone = serializers.CharField(help_text="IANA name.")
    is_enabled = serializers.BooleanField()


class MarketListSerializer(serializers.Serializer[Any]):
    """All markets; there are too few for pages."""

    results = MarketSerializer(many=True)


class ConsentSerializer(serializers.Serializer[Any]):
    """Whether your photos and texts may be used to train suggestions. Off until you agree."""

    agreed = serializers.BooleanField()
    text_version = serializers.CharField(allow_blank=True, help_text="Of the text that you agreed to.")
    since_at = serializers.DateTimeField(allow_null=True)
    current_text_version = serializers.CharField(help_text="Of the text to show and to agree to now.")


class ConsentChangeSerializer(StrictSerializer):
    """To agree, name the version of the text that was shown; to withdraw, only say so."""

    agreed = StrictBooleanField()
    text_version = StrictCharField(required=False, max_length=20)


class OwnProfileSerializer(serializers.Serializer[Any]):
    """The own account. Address, password and second factor are changed at the account endpoints."""

    id = serializers.CharField()
    email = serializers.CharField()
    display_name = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2; one of the markets.")
    currency = serializers.CharField(help_text="ISO 4217; that of the country. New listings are in it.")
    language = serializers.CharField(help_text="ISO 639-1.")
    locale = serializers.CharField(help_text="BCP 47; how numbers and dates are written.")
    time_zone = serializers.CharField(help_text="IANA name.")
    is_verified = serializers.BooleanField(help_text="Whether the identity was verified.")
    plan = serializers.ChoiceField(choices=["private", "professional"], help_text="Set by staff.")
    has_second_factor = serializers.BooleanField(help_text="Whether signing in takes an authenticator app.")
    terms_version = serializers.CharField(
        allow_blank=True, help_text="The version of the terms that was accepted."
    )
    training_consent = ConsentSerializer()
    joined_at = serializers.DateTimeField()


class ProfileChangeSerializer(StrictSerializer):
    """Fields that are not sent stay as they are; nothing else changes by itself."""

    display_name = StrictCharField(required=False, max_length=200, help_text="2 to 40 characters, public.")
    country = StrictCharField(
        required=False,
        max_length=2,
        help_text="Code of an enabled market. With another currency, new listings are in the new one; "
        "existing listings and balances keep theirs.",
    )
    language = StrictCharField(required=False, max_length=3)
    locale = StrictCharField(required=False, max_length=12)
    time_zone = StrictCharField(required=False, max_length=40)
    training_consent = ConsentChangeSerializer(required=False)


class PublicProfileSerializer(serializers.Serializer[Any]):
    """What everybody sees of a member."""

    id = serializers.CharField()
    display_name = serializers.CharField()
    country = serializers.CharField()
    joined_at = serializers.DateTimeField()
    is_verified = serializers.BooleanField()
    is_blocked = serializers.BooleanField(help_text="Whether you blocked this member.")


class OwnRestrictionSerializer(serializers.Serializer[Any]):
    """Something the member may not do at the moment."""

    capability = serializers.ChoiceField(choices=Restriction.Capability.values)
    reason = serializers.CharField(help_text="A code; clients show their own text for those they know.")
    since_at = serializers.DateTimeField()
    until_at = serializers.DateTimeField(allow_null=True, help_text="Exclusive; null: until lifted.")


class OwnRestrictionListSerializer(serializers.Serializer[Any]):
    """All that stand now; there are too few for pages."""

    results = OwnRestrictionSerializer(many=True)


class NewBlockSerializer(StrictSerializer):
    """Whom to block."""

    member_id = StrictRegexField(rf"^{ID_PATTERN}\Z", trim_whitespace=False, help_text="Whom to block.")


class BlockedMemberSerializer(serializers.Serializer[Any]):
    """A member you blocked, under the name of today."""

    member_id = serializers.CharField()
    display_name = serializers.CharField()
    blocked_at = serializers.DateTimeField()
