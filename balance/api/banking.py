"""Bank accounts, and the details that withdrawals need once."""

from __future__ import annotations

import dataclasses
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from balance.api import banking_shapes as shapes
from balance.api.documented import IF_NONE_MATCH, NOT_MODIFIED, SECOND_FACTOR
from balance.queries.banking import (
    BankAccountFacts,
    IdentityFacts,
    find_identity,
    get_bank_account,
    list_bank_accounts,
)
from balance.services.banking import (
    IdentityDetails,
    add_bank_account,
    give_identity,
    remove_bank_account,
)
from foundation import clock
from foundation.api import etags
from foundation.api.views import ApiView
from members.api.authentication import require_recent_second_factor
from members.queries import get_member_facts

_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the version you change. Missing: 428; not needed the first time.",
)


class BankAccountsView(ApiView):
    @extend_schema(
        operation_id="bank_accounts_list",
        summary="Your bank accounts",
        responses=shapes.BankAccountListSerializer,
    )
    def get(self, request: Request) -> Response:
        accounts = list_bank_accounts(str(request.user.pk))
        return Response({"results": [dataclasses.asdict(account) for account in accounts]})

    @extend_schema(
        operation_id="bank_accounts_create",
        summary="Add a bank account",
        description="In your home country and currency. You are told by mail, and withdrawals to it are "
        "possible after a cool-down (`usable_at`). An account cannot be changed: remove it and add another.",
        request=shapes.NewBankAccountSerializer,
        responses={
            201: shapes.BankAccountSerializer,
            403: SECOND_FACTOR,
            409: OpenApiResponse(description="`bank_account_exists` or `too_many_bank_accounts`."),
            422: OpenApiResponse(description="`invalid_bank_account`, with every problem at once."),
        },
    )
    def post(self, request: Request) -> Response:
        body, now = self.body(request, shapes.NewBankAccountSerializer), clock.now()
        require_recent_second_factor(request, now=clock.real_now())
        account = add_bank_account(
            member_id=str(request.user.pk), iban=body["iban"], holder_name=body["holder_name"], now=now
        )
        return _account(request, account)


class BankAccountView(ApiView):
    @extend_schema(
        operation_id="bank_accounts_retrieve",
        summary="A bank account of yours",
        responses=shapes.BankAccountSerializer,
    )
    def get(self, request: Request, bank_account_id: str) -> Response:
        account = get_bank_account(str(request.user.pk), bank_account_id)
        return Response(dataclasses.asdict(account))

    @extend_schema(
        operation_id="bank_accounts_destroy",
        summary="Remove a bank account",
        responses={
            204: OpenApiResponse(description="Removed."),
            403: SECOND_FACTOR,
            409: OpenApiResponse(description="`bank_account_in_use`."),
        },
    )
    def delete(self, request: Request, bank_account_id: str) -> Response:
        now = clock.now()
        require_recent_second_factor(request, now=clock.real_now())
        remove_bank_account(member_id=str(request.user.pk), bank_account_id=bank_account_id, now=now)
        return Response(status=204)


def _account(request: Request, account: BankAccountFacts) -> Response:
    location = reverse("bank-account", kwargs={"bank_account_id": account.id}, request=request)
    return Response(dataclasses.asdict(account), status=201, headers={"Location": location})


class ActivationView(ApiView):
    @extend_schema(
        operation_id="balance_activation_retrieve",
        summary="Whether withdrawals are activated, and with which details",
        parameters=[IF_NONE_MATCH],
        responses={200: shapes.ActivationSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> Response:
        member_id = str(request.user.pk)
        identity = find_identity(member_id)
        if identity is None:
            unknown = dict.fromkeys(field.name for field in dataclasses.fields(IdentityFacts))
            del unknown["version"]
            country = get_member_facts(member_id).country
            return Response({**unknown, "is_activated": False, "country": country})
        etag = etags.etag_for(member_id, identity.version)
        return etags.not_modified(request, etag) or _identity(member_id, identity)

    @extend_schema(
        operation_id="balance_activation_update",
        summary="Activate withdrawals: say who you are",
        description="Needed once, before the first withdrawal. Stored encrypted. A change needs If-Match.",
        parameters=[_IF_MATCH],
        request=shapes.IdentityDetailsSerializer,
        responses={
            200: shapes.ActivationSerializer,
            403: SECOND_FACTOR,
            412: OpenApiResponse(description="`stale_etag`: it was changed in the meantime; read it again."),
            422: OpenApiResponse(description="`invalid_identity`, with every problem at once."),
            428: OpenApiResponse(description="`if_match_required`: the details were given before."),
        },
    )
    def put(self, request: Request) -> Response:
        body, now = self.body(request, shapes.IdentityDetailsSerializer), clock.now()
        require_recent_second_factor(request, now=clock.real_now())
        member_id = str(request.user.pk)
        known = find_identity(member_id)
        if known is not None:
            etags.require_if_match(request, etags.etag_for(member_id, known.version))
        identity = give_identity(
            member_id=member_id,
            details=IdentityDetails(**body),
            expected_version=None if known is None else known.version,
            now=now,
        )
        return _identity(member_id, identity)


def _identity(member_id: str, identity: IdentityFacts) -> Response:
    body: dict[str, Any] = dataclasses.asdict(identity)
    del body["version"]
    etag = etags.etag_for(member_id, identity.version)
    return Response({**body, "is_activated": True}, headers={"ETag": etag})
