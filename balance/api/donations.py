"""Charities, what a member gives of each sale, and donations."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from balance.api import donations_shapes as shapes
from balance.api.answers import content_etag
from balance.api.documented import ACCEPT_LANGUAGE, IF_NONE_MATCH, NOT_MODIFIED
from balance.queries.donations import (
    CharityFacts,
    DonationFacts,
    SettingFacts,
    charity_facts,
    charity_rows,
    donation_facts,
    donation_rows,
    find_setting,
    get_charity,
    get_donation,
)
from balance.services.donations import give_donation, set_donation_setting
from foundation import clock
from foundation.api import etags
from foundation.api.pagination import CursorPage, page_body, page_serializer
from foundation.api.views import ApiView
from foundation.languages import supported
from members.queries import get_member_facts

_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the setting that you change; GET gives it, also before the first. Missing: 428.",
)
_NEVER_SET = SettingFacts(percent=0, charity_id=None, version=0, set_at=None)


def _charity_body(charity: CharityFacts) -> dict[str, Any]:
    return dataclasses.asdict(charity)


class CharitiesView(ApiView):
    query_serializers = {"GET": shapes.CharityQuery}

    @extend_schema(
        operation_id="charities_list",
        summary="Charities that take donations in a market, by name",
        parameters=[shapes.CharityQuery, ACCEPT_LANGUAGE, IF_NONE_MATCH],
        responses={200: page_serializer("CharityPage", shapes.CharitySerializer), 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> Response:
        query = self.query()
        market = query.get("market") or get_member_facts(str(request.user.pk)).country
        page = CursorPage(sort="name", limit=query["limit"], cursor=query.get("cursor")).slice(
            charity_rows(market)
        )
        facts = charity_facts(page.results, supported(get_language()))
        body = page_body(request, page, lambda row: _charity_body(facts[row["id"]]))
        etag = content_etag("charities", body)
        return etags.not_modified(request, etag) or Response(body, headers={"ETag": etag})


class CharityView(ApiView):
    @extend_schema(
        operation_id="charities_retrieve",
        summary="A charity, open or closed",
        parameters=[ACCEPT_LANGUAGE, IF_NONE_MATCH],
        responses={200: shapes.CharitySerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, charity_id: str) -> Response:
        body = _charity_body(get_charity(charity_id, supported(get_language())))
        etag = content_etag("charity", body)
        return etags.not_modified(request, etag) or Response(body, headers={"ETag": etag})


class DonationSettingView(ApiView):
    @extend_schema(
        operation_id="donation_setting_retrieve",
        summary="What you give of each sale",
        parameters=[ACCEPT_LANGUAGE],
        responses=shapes.SettingSerializer,
    )
    def get(self, request: Request) -> Response:
        return _setting(request, find_setting(str(request.user.pk)) or _NEVER_SET)

    @extend_schema(
        operation_id="donation_setting_update",
        summary="Give a part of each sale to a charity",
        description="Counts for sales that are completed from now on. While you owe us money, or may not "
        "withdraw, or the charity is closed, nothing is given.",
        parameters=[_IF_MATCH, ACCEPT_LANGUAGE],
        request=shapes.NewSettingSerializer,
        responses={
            200: shapes.SettingSerializer,
            404: OpenApiResponse(description="`charity_not_found`."),
            412: OpenApiResponse(description="`stale_etag`: it was changed in the meantime; read it again."),
            422: OpenApiResponse(
                description="`charity_required`, or `charity_not_available`: closed, or not for your country "
                "and currency."
            ),
            428: OpenApiResponse(description="`if_match_required`."),
        },
    )
    def put(self, request: Request) -> Response:
        body, member_id = self.body(request, shapes.NewSettingSerializer), str(request.user.pk)
        known = find_setting(member_id) or _NEVER_SET
        etags.require_if_match(request, _setting_etag(member_id, known))
        setting = set_donation_setting(
            member_id=member_id,
            percent=body["percent"],
            charity_id=body["charity_id"],
            expected_version=known.version,
            now=clock.now(),
        )
        return _setting(request, setting)


def _setting_etag(member_id: str, setting: SettingFacts) -> str:
    return etags.etag_for(member_id, "donations", setting.version)


def _setting(request: Request, setting: SettingFacts) -> Response:
    charity = None
    if setting.charity_id is not None:
        charity = _charity_body(get_charity(setting.charity_id, supported(get_language())))
    body = {"percent": setting.percent, "charity": charity, "set_at": setting.set_at}
    return Response(body, headers={"ETag": _setting_etag(str(request.user.pk), setting)})


def donation_body(donation: DonationFacts) -> dict[str, Any]:
    """DonationSerializer."""
    return {
        "id": donation.id,
        "kind": donation.kind,
        "status": donation.status,
        "amount": donation.amount.as_json(),
        "charity": {"id": donation.charity_id, "name": donation.charity_name},
        "sale": donation.sale,
        "given_at": donation.given_at,
        "ended_at": donation.ended_at,
    }


class DonationsView(ApiView):
    query_serializers = {"GET": shapes.DonationQuery}
    idempotency = "required"

    @extend_schema(
        operation_id="donations_list",
        summary="Your donations, the latest first",
        parameters=[shapes.DonationQuery],
        responses=page_serializer("DonationPage", shapes.DonationSerializer),
    )
    def get(self, request: Request) -> Response:
        query = self.query()
        rows = donation_rows(
            str(request.user.pk),
            charity_id=query.get("charity"),
            kind=query.get("kind"),
            status=query.get("status"),
        )
        page = CursorPage(sort="-id", limit=query["limit"], cursor=query.get("cursor")).slice(rows)
        return Response(page_body(request, page, lambda row: donation_body(donation_facts(dict(row)))))

    @extend_schema(
        operation_id="donations_create",
        summary="Give to a charity once",
        description="The amount leaves your available balance at once, and cannot be taken back. The charity "
        "is paid after the end of the month. Free of charge.",
        request=shapes.NewDonationSerializer,
        responses={
            201: shapes.DonationSerializer,
            403: OpenApiResponse(
                description="`kyc_required`, `tax_information_required`, `withdrawals_blocked` or "
                "`account_frozen`: what blocks withdrawals blocks donations."
            ),
            404: OpenApiResponse(description="`charity_not_found`."),
            422: OpenApiResponse(
                description="`insufficient_funds`, `donation_out_of_range`, `currency_mismatch`, "
                "`invalid_amount` or `charity_not_available`."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        body = self.body(request, shapes.NewDonationSerializer)
        donation = give_donation(
            member_id=str(request.user.pk),
            charity_id=body["charity_id"],
            amount=body["amount"],
            now=clock.now(),
        )
        location = reverse("donation", kwargs={"donation_id": donation.id}, request=request)
        return Response(donation_body(donation), status=201, headers={"Location": location})


class DonationView(ApiView):
    @extend_schema(
        operation_id="donations_retrieve",
        summary="A donation of yours",
        responses=shapes.DonationSerializer,
    )
    def get(self, request: Request, donation_id: str) -> Response:
        return Response(donation_body(get_donation(str(request.user.pk), donation_id)))
