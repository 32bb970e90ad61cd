"""What the API of the ledger takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from balance.chart import MEMBER_KINDS, Event
from foundation.api.pagination import PageQuery
from foundation.api.serializers import InstantField, MoneySerializer, StrictSerializer
from foundation.money import EXPONENTS


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

    capability = serializers.CharField(help_text="`buy` or `withdraw`; there may be more.")
    reason = serializers.CharField(help_text="A code; clients show their own text for those they know.")
    until_at = serializers.DateTimeField(allow_null=True, help_text="Exclusive; null: until lifted.")


class BalanceSerializer(serializers.Serializer[Any]):
    """A member's money, by currency; that of the home country comes first and is always there."""

    at = serializers.DateTimeField(allow_null=True, help_text="As asked for; null: now.")
    balances = CurrencyBalanceSerializer(many=True)
    blocks = BalanceBlockSerializer(many=True, help_text="Those of now, also when `at` is in the past.")


ACCOUNTS = sorted(kind.value for kind in MEMBER_KINDS)


class EntriesQuery(PageQuery):
    """Query parameters of the list of entries."""

    sort = serializers.ChoiceField(choices=["-recorded_at", "recorded_at"], default="-recorded_at")
    account = serializers.ChoiceField(choices=ACCOUNTS, required=False, help_text="Default: all of yours.")
    currency = serializers.ChoiceField(choices=sorted(EXPONENTS), required=False)
    event = serializers.ChoiceField(choices=[event.value for event in Event], required=False)
    reference = serializers.CharField(required=False, max_length=80, help_text="What it is about, in full.")
    to = InstantField(required=False, help_text="Recorded before this instant.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # "from" is a word of Python's own.
        since = InstantField(required=False, help_text="Recorded at this instant or later.")
        return {**super().get_fields(), "from": since}


class StatementLineSerializer(serializers.Serializer[Any]):
    """A change of one account."""

    id = serializers.CharField()
    recorded_at = serializers.DateTimeField(help_text="When it entered the account.")
    effective_at = serializers.DateTimeField(help_text="When it happened.")
    event = serializers.CharField(help_text="A code; there will be more.")
    label = serializers.CharField(help_text="What it is, in words.")  # type: ignore[assignment]  # the API's name
    reference = serializers.CharField(help_text="What it is about, such as an order.")
    posting = serializers.CharField(help_text="Entries of one posting belong together.")
    amount = MoneySerializer(help_text="What came in is positive, what went out negative.")
    balance_after = MoneySerializer(help_text="Of this account.")


class EntrySerializer(StatementLineSerializer):
    """A change of one of your accounts."""

    account = serializers.ChoiceField(choices=ACCOUNTS)


class StatementMonthSerializer(serializers.Serializer[Any]):
    """A month that has a statement."""

    month = serializers.CharField(help_text="2026-03.")
    time_zone = serializers.CharField(help_text="IANA name; a month begins at midnight there.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="Exclusive.")
    is_closed = serializers.BooleanField(help_text="Whether it is final.")


class StatementMonthListSerializer(serializers.Serializer[Any]):
    """All months since your first account was opened; there are too few for pages."""

    results = StatementMonthSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class StatementAccountSerializer(serializers.Serializer[Any]):
    """One account in one month: opening, and the amounts of the lines, add up to closing."""

    account = serializers.ChoiceField(choices=ACCOUNTS)
    name = serializers.CharField()
    currency = serializers.CharField(help_text="ISO 4217.")
    opening = MoneySerializer()
    lines = StatementLineSerializer(many=True)
    closing = MoneySerializer()


class StatementSerializer(StatementMonthSerializer):
    """A month of your money. Accounts without money and entries are left out, but for `available`."""

    accounts = StatementAccountSerializer(many=True)


class StatementQuery(StrictSerializer):
    """Query parameters of a statement."""

    format = serializers.ChoiceField(
        choices=["json", "csv", "pdf"],
        required=False,
        help_text="For links that cannot say Accept; it wins over Accept.",
    )
