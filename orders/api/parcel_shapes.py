"""Shapes of pick-up points and of the sandbox's carrier."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.api.serializers import StrictIntegerField, StrictSerializer
from orders.lifecycle.parcels import ParcelCode
from orders.models import SandboxParcel


class PickupPointsQuery(StrictSerializer):
    """Where pick-up points are looked for: around a postal code, or a place."""

    country = serializers.RegexField(r"^[A-Z]{2}\Z", help_text="ISO 3166-1 alpha-2.")
    postal_code = serializers.CharField(max_length=12, required=False, help_text="Counts before a place.")
    place = serializers.CharField(max_length=80, required=False)
    carrier = serializers.RegexField(
        r"^[a-z0-9_-]{1,40}\Z",
        required=False,
        help_text="As a shipping option names it; without it all.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=50, default=20)


class OpeningHoursSerializer(serializers.Serializer[Any]):
    weekday = serializers.IntegerField(help_text="0 is Monday.")
    opens = serializers.CharField(help_text="Local time, HH:MM.")
    closes = serializers.CharField(help_text="Local time, HH:MM; 24:00 is the end of the day.")


class PickupPointSerializer(serializers.Serializer[Any]):
    """A shop or locker where a parcel can be collected."""

    id = serializers.CharField()
    carrier = serializers.CharField()
    name = serializers.CharField()
    street = serializers.CharField()
    postal_code = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    latitude = serializers.CharField(help_text="Decimal degrees, WGS 84.")
    longitude = serializers.CharField(help_text="Decimal degrees, WGS 84.")
    opening_hours = OpeningHoursSerializer(many=True)


class PickupPointListSerializer(serializers.Serializer[Any]):
    """Never more than one page."""

    results = PickupPointSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class SandboxLabelSerializer(StrictSerializer):
    """How the sandbox's carrier shall answer the next requests for this label."""

    answer = serializers.ChoiceField(choices=SandboxParcel.Answer.choices)
    times = StrictIntegerField(min_value=1, max_value=100, default=1, help_text="Then it accepts.")


class SandboxParcelNewsSerializer(StrictSerializer):
    """What happened to the parcel."""

    code = serializers.ChoiceField(choices=[code.value for code in ParcelCode])
    occurred_at = serializers.DateTimeField(
        required=False, help_text="Without it: now. The same news of the same moment is a repeat."
    )


class SandboxParcelEventsSerializer(StrictSerializer):
    """News of the sandbox's carrier, told in this order, which may be any."""

    events = serializers.ListField(child=SandboxParcelNewsSerializer(), min_length=1, max_length=20)
    times = StrictIntegerField(min_value=1, max_value=50, default=1, help_text="Callbacks for each.")


class SandboxParcelEffectSerializer(serializers.Serializer[Any]):
    callbacks = serializers.ListField(
        child=serializers.ChoiceField(choices=["new", "repeated"]), help_text="What each callback was."
    )
