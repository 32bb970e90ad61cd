"""What the API takes and gives about donations."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from balance.lifecycle import DONATION
from balance.models import Donation
from foundation.api.pagination import PageQuery
from foundation.api.serializers import MoneySerializer, StrictCharField, StrictIntegerField, StrictSerializer
from foundation.ids import ID_LENGTH

KINDS = list(Donation.Kind.values)
STATUSES = list(DONATION.statuses)


class CharityQuery(PageQuery):
    """Query parameters of the list of charities."""

    market = serializers.RegexField(
        r"^[A-Z]{2}\Z", required=False, help_text="ISO 3166-1 alpha-2. Default: your own."
    )


class CharitySerializer(serializers.Serializer[Any]):
    """A registered charity."""

    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(help_text="In your language if there is one, else in English.")
    country = serializers.CharField(help_text="Of registration, ISO 3166-1 alpha-2.")
    registration_number = serializers.CharField(help_text="In the register of that country.")
    currency = serializers.CharField(help_text="It takes donations in this one. ISO 4217.")
    markets = serializers.ListField(
        child=serializers.CharField(), help_text="Where it may be chosen, ISO 3166-1 alpha-2."
    )
    is_open = serializers.BooleanField(help_text="Whether it takes donations.")


class NewSettingSerializer(StrictSerializer):
    """What you give of each sale from now on."""

    percent = StrictIntegerField(min_value=0, max_value=100, help_text="Of what you get for the item.")
    charity_id = StrictCharField(
        max_length=ID_LENGTH, allow_null=True, default=None, help_text="Needed unless `percent` is 0."
    )


class SettingSerializer(serializers.Serializer[Any]):
    """What you give of each sale."""

    percent = serializers.IntegerField(help_text="0: nothing.")
    charity = CharitySerializer(allow_null=True, help_text="While it is not open, nothing is given.")
    set_at = serializers.DateTimeField(allow_null=True, help_text="null: never set.")


class DonationQuery(PageQuery):
    """Query parameters of the list of donations."""

    charity = serializers.CharField(max_length=ID_LENGTH, required=False, help_text="Id of a charity.")
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    status = serializers.ChoiceField(choices=STATUSES, required=False)


class NewDonationSerializer(StrictSerializer):
    """Money of yours for a charity."""

    charity_id = StrictCharField(max_length=ID_LENGTH)
    amount = MoneySerializer()


class DonationCharitySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class DonationSerializer(serializers.Serializer[Any]):
    """A donation of yours."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS, help_text="`sale`: a share of a sale, by your setting.")
    status = serializers.ChoiceField(
        choices=STATUSES, help_text="`settled`: part of a monthly payment to the charity, and final."
    )
    amount = MoneySerializer()
    charity = DonationCharitySerializer()
    sale = serializers.CharField(allow_null=True, help_text="Which sale; null for a one-off.")
    given_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Settled or undone.")
