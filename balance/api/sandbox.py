"""Playing bank, for tests and demos; all of it answers 404 unless the service runs with SANDBOX on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from balance.api import banking_shapes as shapes
from balance.providers.contract import Outcome
from balance.services.sandboxing import repeat_callback, script_payout, settle_payout
from foundation import clock
from foundation.api.views import ApiView

_NOT_FOUND = OpenApiResponse(description="`sandbox_payout_not_found`.")


class ScriptView(ApiView):
    @extend_schema(
        operation_id="sandbox_payouts_script",
        summary="Say how the sandbox bank answers when it is asked to pay this withdrawal",
        description="Sandbox only. `time_out`: it takes the payout, but its answer gets lost.",
        request=shapes.SandboxScriptSerializer,
        responses={204: OpenApiResponse(description="It will."), 404: _NOT_FOUND},
    )
    def post(self, request: Request, withdrawal_id: str) -> Response:
        body = self.body(request, shapes.SandboxScriptSerializer)
        script_payout(member_id=str(request.user.pk), withdrawal_id=withdrawal_id, **body)
        return Response(status=204)


def settle_view(name: str, outcome: Outcome, summary: str) -> Callable[..., Any]:
    """The view of POST /sandbox/payouts/{id}/<name>."""

    class SettleView(ApiView):
        @extend_schema(
            operation_id=f"sandbox_payouts_{name}",
            summary=summary,
            description="Sandbox only. It tells us by signed callbacks, as a real bank does.",
            request=shapes.SandboxNewsSerializer,
            responses={200: shapes.SandboxEffectSerializer, 404: _NOT_FOUND},
        )
        def post(self, request: Request, withdrawal_id: str) -> Response:
            body = self.body(request, shapes.SandboxNewsSerializer)
            effects = settle_payout(
                member_id=str(request.user.pk),
                withdrawal_id=withdrawal_id,
                outcome=outcome,
                reason=body.get("reason", ""),
                times=body["times"],
                now=clock.now(),
            )
            return Response({"callbacks": effects})

    return SettleView.as_view()


class RepeatView(ApiView):
    @extend_schema(
        operation_id="sandbox_payouts_repeat",
        summary="Have the sandbox bank tell old news again, in any order",
        description="Sandbox only. The callback about `outcome` is sent, whatever the bank's own books say.",
        request=shapes.SandboxRepeatSerializer,
        responses={200: shapes.SandboxEffectSerializer, 404: _NOT_FOUND},
    )
    def post(self, request: Request, withdrawal_id: str) -> Response:
        body = self.body(request, shapes.SandboxRepeatSerializer)
        effects = repeat_callback(
            member_id=str(request.user.pk),
            withdrawal_id=withdrawal_id,
            outcome=Outcome(body["outcome"]),
            times=body["times"],
            now=clock.now(),
        )
        return Response({"callbacks": effects})
