"""What the API of the ledger takes and gives."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from rest_framework import serializers

from foundation.api.serializers import MoneySerializer, StrictSerializer
from members.models import Restriction

# RFC 3339 section 5.6: with its offset. DRF alone would also take a local time, and guess.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class InstantField(serializers.DateTimeField):
    """An RFC 3339 instant; its offset is needed."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            self.fail("invalid", format="2026-03-01T00:00:00Z")
        return super().to_internal_value(value.upper())


class BalanceQuery(StrictSerializer):
    """Query parameters of the balance."""

    at = InstantField(
        required=False,
        help_text="The balances as they were once everything recorded up to this instant was. Not in the "
        "future.",
    )


class CurrencyBalanceSerializer(serializers.Serializer[Any]):
    """What a member has in one currency."""

    currency = serializers.CharField(help_text="ISO 4217.")
    pending = MoneySerializer(help_text="Earned by sales that may still be undone.")
    available = MoneySerializer(help_text="To spend, withdraw or give. Below zero it is a debt.")
    held = MoneySerializer(help_text="Set aside for purchases that are under way.")
    in_transit = MoneySerializer(help_text="On its way to your bank.")
    debt = MoneySerializer(help_text="What you owe; your next sales pay it down.")
    is_frozen = serializers.BooleanField(
        help_text="Our books are being checked: for now nothing can be taken out."
    )


class BalanceBlockSerializer(serializers.Serializer[Any]):
    """Something that may not be done with the money for now."""

    capability = serializers.ChoiceField(choices=Restriction.Capability.values)
    reason = serializers.CharField(help_text="A code; clients show their own text for those they know.")
    until_at = serializers.DateTimeField(allow_null=True, help_text="Exclusive; null: until lifted.")


class BalanceSerializer(serializers.Serializer[Any]):
    """A member's money, by currency; that of the home country comes first and is always there."""

    at = serializers.DateTimeField(allow_null=True, help_text="As asked for; null: now.")
    balances = CurrencyBalanceSerializer(many=True)
    blocks = BalanceBlockSerializer(many=True, help_text="Those of now, also when `at` is in the past.")
