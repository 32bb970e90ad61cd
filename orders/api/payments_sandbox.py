"""Playing card processor, for tests and demos; all of it answers 404 unless SANDBOX is on."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api.views import ApiView
from orders.api import payment_shapes as shapes
from orders.providers.payments.contract import DisputeOutcome, PaymentOutcome, RefundOutcome
from orders.services import sandbox_payments

_NOT_FOUND = OpenApiResponse(description="`sandbox_payment_not_found`.")
_TOLD: dict[Any, Any] = {200: shapes.SandboxPaymentEffectSerializer, 404: _NOT_FOUND}
_AS_REAL = "Sandbox only, for the buyer. It tells us by signed callbacks, as a real one does."


class SandboxPaymentScriptView(ApiView):
    @extend_schema(
        operation_id="sandbox_payments_script",
        summary="Say what goes wrong when the sandbox's processor is next called about this payment",
        description="Sandbox only. `time_out`: it does what it is asked for, but its answer gets lost.",
        request=shapes.SandboxPaymentScriptSerializer,
        responses={204: OpenApiResponse(description="It will."), 404: _NOT_FOUND},
    )
    def post(self, request: Request, payment_id: str) -> Response:
        body = self.body(request, shapes.SandboxPaymentScriptSerializer)
        sandbox_payments.script_payment(member_id=str(request.user.pk), payment_id=payment_id, **body)
        return Response(status=204)


class SandboxChallengeView(ApiView):
    @extend_schema(
        operation_id="sandbox_payments_challenge",
        summary="Pass or fail the 3-D Secure step of a payment: its `action_url`",
        description=_AS_REAL,
        request=shapes.SandboxChallengeSerializer,
        responses=_TOLD,
    )
    def post(self, request: Request, payment_id: str) -> Response:
        body = self.body(request, shapes.SandboxChallengeSerializer)
        effects = sandbox_payments.end_challenge(
            member_id=str(request.user.pk), payment_id=payment_id, now=clock.now(), **body
        )
        return Response({"callbacks": effects})


class SandboxPaymentSettleView(ApiView):
    @extend_schema(
        operation_id="sandbox_payments_settle",
        summary="Have the sandbox's processor reserve, capture, decline or cancel a payment",
        description=_AS_REAL,
        request=shapes.SandboxPaymentSettleSerializer,
        responses=_TOLD,
    )
    def post(self, request: Request, payment_id: str) -> Response:
        body = self.body(request, shapes.SandboxPaymentSettleSerializer)
        effects = sandbox_payments.settle_payment(
            member_id=str(request.user.pk),
            payment_id=payment_id,
            outcome=PaymentOutcome(body["outcome"]),
            amount_minor=body.get("amount"),
            code=body.get("code", ""),
            times=body["times"],
            now=clock.now(),
        )
        return Response({"callbacks": effects})


class SandboxPaymentRepeatView(ApiView):
    @extend_schema(
        operation_id="sandbox_payments_repeat",
        summary="Have the sandbox's processor tell old or wrong news of a payment",
        description=_AS_REAL,
        request=shapes.SandboxPaymentRepeatSerializer,
        responses=_TOLD,
    )
    def post(self, request: Request, payment_id: str) -> Response:
        body = self.body(request, shapes.SandboxPaymentRepeatSerializer)
        effects = sandbox_payments.repeat_payment(
            member_id=str(request.user.pk),
            payment_id=payment_id,
            outcome=PaymentOutcome(body["outcome"]),
            times=body["times"],
            now=clock.now(),
        )
        return Response({"callbacks": effects})


class SandboxDisputeView(ApiView):
    @extend_schema(
        operation_id="sandbox_payments_dispute",
        summary="Have the buyer's bank open, give up or win a chargeback of a payment",
        description=_AS_REAL,
        request=shapes.SandboxDisputeSerializer,
        responses=_TOLD,
    )
    def post(self, request: Request, payment_id: str) -> Response:
        body = self.body(request, shapes.SandboxDisputeSerializer)
        effects = sandbox_payments.dispute_payment(
            member_id=str(request.user.pk),
            payment_id=payment_id,
            outcome=DisputeOutcome(body["outcome"]),
            amount_minor=body.get("amount"),
            fee_minor=body["fee"],
            number=body["number"],
            times=body["times"],
            now=clock.now(),
        )
        return Response({"callbacks": effects})


class SandboxRefundSettleView(ApiView):
    @extend_schema(
        operation_id="sandbox_refunds_settle",
        summary="Have the sandbox's processor pay a refund or fail to",
        description=_AS_REAL,
        request=shapes.SandboxRefundSettleSerializer,
        responses=_TOLD,
    )
    def post(self, request: Request, refund_id: str) -> Response:
        body = self.body(request, shapes.SandboxRefundSettleSerializer)
        effects = sandbox_payments.settle_refund(
            member_id=str(request.user.pk),
            refund_id=refund_id,
            outcome=RefundOutcome(body["outcome"]),
            code=body.get("code", ""),
            times=body["times"],
            now=clock.now(),
        )
        return Response({"callbacks": effects})
