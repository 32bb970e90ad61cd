"""Withdrawals: asking for one, seeing what became of it, taking it back in time."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from balance.api import banking_shapes as shapes
from balance.queries.banking import WithdrawalFacts, get_withdrawal, withdrawal_facts, withdrawal_rows
from balance.services.withdrawing import cancel_withdrawal, request_withdrawal
from foundation import clock
from foundation.api.pagination import CursorPage, page_body, page_serializer
from foundation.api.views import ApiView
from foundation.money import Money
from members.api.authentication import require_recent_second_factor

_STATUS_CONFLICT = OpenApiResponse(
    description="`withdrawal_status_conflict`: not possible in this status; `allowed_actions` says what is."
)


def withdrawal_body(withdrawal: WithdrawalFacts) -> dict[str, Any]:
    """WithdrawalSerializer."""
    return {
        "id": withdrawal.id,
        "status": withdrawal.status,
        "amount": withdrawal.amount.as_json(),
        "fee": Money(0, withdrawal.amount.currency).as_json(),
        "bank_account_id": withdrawal.bank_account_id,
        "iban": withdrawal.iban,
        "reason": withdrawal.reason or None,
        "allowed_actions": list(withdrawal.allowed_actions),
        "requested_at": withdrawal.requested_at,
        "sent_at": withdrawal.sent_at,
        "ended_at": withdrawal.ended_at,
    }


class WithdrawalsView(ApiView):
    query_serializers = {"GET": shapes.WithdrawalQuery}
    idempotency = "required"

    @extend_schema(
        operation_id="withdrawals_list",
        summary="Your withdrawals, the latest first",
        parameters=[shapes.WithdrawalQuery],
        responses=page_serializer("WithdrawalPage", shapes.WithdrawalSerializer),
    )
    def get(self, request: Request) -> Response:
        query = self.query()
        rows = withdrawal_rows(str(request.user.pk), status=query.get("status"))
        page = CursorPage(sort="-id", limit=query["limit"], cursor=query.get("cursor")).slice(rows)
        return Response(page_body(request, page, lambda row: withdrawal_body(withdrawal_facts(dict(row)))))

    @extend_schema(
        operation_id="withdrawals_create",
        summary="Withdraw money to your bank account",
        description="The amount leaves your available balance at once and is in transit until the bank has "
        "paid it. Free of charge. `in_review` with the reason `holder_mismatch` or `identity_changed`: a "
        "person first compares the holder of the bank account with your name.",
        request=shapes.NewWithdrawalSerializer,
        responses={
            201: shapes.WithdrawalSerializer,
            403: OpenApiResponse(
                description="`kyc_required` (see /balance/activation), `tax_information_required`, "
                "`withdrawals_blocked`, `account_frozen` or `second_factor_required`."
            ),
            404: OpenApiResponse(description="`bank_account_not_found`."),
            409: OpenApiResponse(description="`bank_account_cooling_down`, with `until`."),
            422: OpenApiResponse(
                description="`insufficient_funds`, `withdrawal_out_of_range`, `currency_mismatch`, "
                "`invalid_amount` or `bank_account_abroad`."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        body, now = self.body(request, shapes.NewWithdrawalSerializer), clock.now()
        require_recent_second_factor(request, now=clock.real_now())
        withdrawal = request_withdrawal(
            member_id=str(request.user.pk),
            bank_account_id=body["bank_account_id"],
            amount=body["amount"],
            provider=settings.PAYOUT_PROVIDER,
            now=now,
        )
        location = reverse("withdrawal", kwargs={"withdrawal_id": withdrawal.id}, request=request)
        return Response(withdrawal_body(withdrawal), status=201, headers={"Location": location})


class WithdrawalView(ApiView):
    @extend_schema(
        operation_id="withdrawals_retrieve",
        summary="A withdrawal of yours",
        responses=shapes.WithdrawalSerializer,
    )
    def get(self, request: Request, withdrawal_id: str) -> Response:
        return Response(withdrawal_body(get_withdrawal(str(request.user.pk), withdrawal_id)))


class CancelWithdrawalView(ApiView):
    idempotency = "required"

    @extend_schema(
        operation_id="withdrawals_cancel",
        summary="Take a withdrawal back before it is sent",
        request=None,
        responses={200: shapes.WithdrawalSerializer, 409: _STATUS_CONFLICT},
    )
    def post(self, request: Request, withdrawal_id: str) -> Response:
        self.no_body(request)
        withdrawal = cancel_withdrawal(
            member_id=str(request.user.pk), withdrawal_id=withdrawal_id, now=clock.now()
        )
        return Response(withdrawal_body(withdrawal))
