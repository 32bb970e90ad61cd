"""What the sandbox's API of payments takes and gives."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from foundation.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from orders.models.payments import CODE_MAX_LENGTH, SandboxPayment
from orders.providers.payments.contract import DisputeOutcome, PaymentOutcome, RefundOutcome

ANSWERS = list(SandboxPayment.Answer.values)
OUTCOMES = ["authorised", "captured", "failed", "cancelled"]
REFUND_OUTCOMES = [RefundOutcome.PAID.value, RefundOutcome.FAILED.value]
DISPUTE_OUTCOMES = [outcome.value for outcome in DisputeOutcome]
_IS_CODE = RegexValidator(rf"^[a-z0-9_]{{1,{CODE_MAX_LENGTH}}}\Z")


def _times() -> StrictIntegerField:
    return StrictIntegerField(
        min_value=0, max_value=50, default=1, help_text="Callbacks about it; 0: the news gets lost."
    )


def _code() -> StrictCharField:
    return StrictCharField(validators=[_IS_CODE], required=False, help_text="Why, as a code.")


class SandboxPaymentScriptSerializer(StrictSerializer):
    """What goes wrong with the next calls about this payment."""

    answer = serializers.ChoiceField(choices=ANSWERS)
    times = StrictIntegerField(min_value=1, max_value=100, default=1, help_text="Then it answers.")


class SandboxChallengeSerializer(StrictSerializer):
    """How the 3-D Secure step ends."""

    passes = serializers.BooleanField()
    times = _times()


class SandboxPaymentSettleSerializer(StrictSerializer):
    """What becomes of the payment."""

    outcome = serializers.ChoiceField(choices=OUTCOMES)
    amount = StrictIntegerField(
        min_value=1,
        max_value=10**12,
        required=False,
        help_text="Captured, in minor units; else what was asked.",
    )
    code = _code()
    times = _times()


class SandboxPaymentRepeatSerializer(StrictSerializer):
    """Which callback is sent, and how often."""

    outcome = serializers.ChoiceField(choices=[*OUTCOMES, PaymentOutcome.REQUIRES_ACTION.value])
    times = StrictIntegerField(min_value=1, max_value=50, default=1)


class SandboxRefundSettleSerializer(StrictSerializer):
    """What becomes of the refund."""

    outcome = serializers.ChoiceField(choices=REFUND_OUTCOMES)
    code = _code()
    times = _times()


class SandboxDisputeSerializer(StrictSerializer):
    """What the buyer's bank does."""

    outcome = serializers.ChoiceField(choices=DISPUTE_OUTCOMES)
    amount = StrictIntegerField(
        min_value=1,
        max_value=10**12,
        required=False,
        help_text="In minor units; else what was captured, or what this one was opened with.",
    )
    fee = StrictIntegerField(min_value=0, max_value=10**6, default=1500, help_text="In minor units.")
    number = StrictIntegerField(
        min_value=1,
        max_value=9,
        default=1,
        help_text="Which of the payment's disputes.",
    )
    times = _times()


class SandboxPaymentEffectSerializer(serializers.Serializer[Any]):
    """How the callbacks were taken, in their order."""

    callbacks = serializers.ListField(child=serializers.CharField(), help_text="`new` or `repeated`.")
