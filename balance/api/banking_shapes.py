"""What the API takes and gives about the ways out: bank accounts, identities, withdrawals."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from balance.ibans import MAX_LENGTH
from balance.lifecycle import WITHDRAWAL
from balance.models.banking import HOLDER_MAX_LENGTH, SandboxPayout
from balance.providers.contract import Outcome
from foundation.api.pagination import PageQuery
from foundation.api.serializers import (
    MoneySerializer,
    StrictCharField,
    StrictIntegerField,
    StrictRegexField,
    StrictSerializer,
)

STATUSES = list(WITHDRAWAL.statuses)
SANDBOX_ANSWERS = list(SandboxPayout.Answer.values)
SANDBOX_OUTCOMES = [Outcome.PAID.value, Outcome.FAILED.value, Outcome.RETURNED.value]
_IS_CODE = RegexValidator(r"^[a-z0-9_]{1,60}\Z")
_WITH_BLANKS = MAX_LENGTH + 16


class NewBankAccountSerializer(StrictSerializer):
    """A bank account in your home country."""

    iban = StrictCharField(max_length=_WITH_BLANKS, help_text="Blanks and lower case are fine.")
    holder_name = StrictCharField(max_length=HOLDER_MAX_LENGTH, help_text="As the bank has it.")


class BankAccountSerializer(serializers.Serializer[Any]):
    """A bank account of yours; what you wrote is never shown again in full."""

    id = serializers.CharField()
    iban = serializers.CharField(help_text="Masked: LT•• … 1234.")
    holder_name = serializers.CharField(help_text="Masked: O… K….")
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2.")
    currency = serializers.CharField(help_text="ISO 4217.")
    added_at = serializers.DateTimeField()
    usable_at = serializers.DateTimeField(help_text="Withdrawals to it are possible from then on.")


class BankAccountListSerializer(serializers.Serializer[Any]):
    """All of them: five at most."""

    results = BankAccountSerializer(many=True)


class IdentityDetailsSerializer(StrictSerializer):
    """Who you are before the law."""

    legal_name = StrictCharField(max_length=HOLDER_MAX_LENGTH, help_text="First and last name.")
    date_of_birth = serializers.DateField(help_text="You have to be 18 or older.")
    street = StrictCharField(max_length=100, help_text="With the house number.")
    postal_code = StrictCharField(max_length=12)
    city = StrictCharField(max_length=60)
    country = StrictRegexField(r"^[A-Z]{2}\Z", help_text="ISO 3166-1 alpha-2.")


class ActivationSerializer(serializers.Serializer[Any]):
    """Whether withdrawals are activated, and the details that were given, or what is known until then."""

    is_activated = serializers.BooleanField()
    legal_name = serializers.CharField(allow_null=True)
    date_of_birth = serializers.DateField(allow_null=True)
    street = serializers.CharField(allow_null=True)
    postal_code = serializers.CharField(allow_null=True)
    city = serializers.CharField(allow_null=True)
    country = serializers.CharField(help_text="Until it is given: your home country.")
    given_at = serializers.DateTimeField(allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class NewWithdrawalSerializer(StrictSerializer):
    """Money of yours, to a bank account of yours."""

    bank_account_id = StrictCharField(max_length=26)
    amount = MoneySerializer()


class WithdrawalQuery(PageQuery):
    """Query parameters of the list of withdrawals."""

    status = serializers.ChoiceField(choices=STATUSES, required=False)


class WithdrawalSerializer(serializers.Serializer[Any]):
    """A withdrawal of yours."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    amount = MoneySerializer()
    fee = MoneySerializer(help_text="What it costs you: nothing.")
    bank_account_id = serializers.CharField()
    iban = serializers.CharField(help_text="Masked.")
    reason = serializers.CharField(
        allow_null=True, help_text="A code: why it failed, came back, or waits for a person."
    )
    allowed_actions = serializers.ListField(child=serializers.CharField(), help_text="`cancel`, or nothing.")
    requested_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class SandboxScriptSerializer(StrictSerializer):
    """How the sandbox bank shall answer the next calls for this withdrawal."""

    answer = serializers.ChoiceField(choices=SANDBOX_ANSWERS)
    times = StrictIntegerField(min_value=1, max_value=100, default=1, help_text="Then it accepts.")
    reason = StrictCharField(validators=[_IS_CODE], required=False, help_text="The code of a refusal.")
    pays_after_s = StrictIntegerField(
        min_value=0,
        max_value=10**7,
        required=False,
        help_text="Seconds after which it pays by itself; without it, only when told to.",
    )


class SandboxNewsSerializer(StrictSerializer):
    """What the sandbox bank does, and how often it tells us."""

    reason = StrictCharField(validators=[_IS_CODE], required=False, help_text="The bank's code.")
    times = StrictIntegerField(
        min_value=0, max_value=50, default=1, help_text="Callbacks about it; 0: the news gets lost."
    )


class SandboxRepeatSerializer(StrictSerializer):
    """Which callback is sent, and how often."""

    outcome = serializers.ChoiceField(choices=SANDBOX_OUTCOMES)
    times = StrictIntegerField(min_value=1, max_value=50, default=1)


class SandboxEffectSerializer(serializers.Serializer[Any]):
    """How the callbacks were taken, in their order."""

    callbacks = serializers.ListField(child=serializers.CharField(), help_text="`new` or `repeated`.")
