"""Profiles, blocks, restrictions and markets. Sign-up and sign-in are allauth's (`/_allauth/`)."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from django.core.cache import cache
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api import etags
from foundation.api.pagination import CursorPage, PageQuery, page_body, page_serializer
from foundation.api.rendering import dumps
from foundation.api.views import ApiView
from members import queries, services
from members.api import shapes

MARKETS_MAX_AGE_S = 300

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the version you change. Missing: 428.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have. Unchanged: 304."
)
NOT_MODIFIED = OpenApiResponse(description="Unchanged since the version that you have.")


class MarketsView(ApiView):
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="markets_list",
        summary="Countries, currencies and languages",
        parameters=[IF_NONE_MATCH],
        responses={200: shapes.MarketListSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> Response:
        body, etag = cache.get("members.markets") or _markets()
        response = etags.not_modified(request, etag) or Response(body, headers={"ETag": etag})
        response["Cache-Control"] = f"public, max-age={MARKETS_MAX_AGE_S}"
        return response


def _markets() -> tuple[dict[str, Any], str]:
    body = {"results": [dataclasses.asdict(market) for market in queries.list_markets()]}
    etag = etags.etag_for("markets", hashlib.sha256(dumps(body)).hexdigest()[:16])
    cache.set("members.markets", (body, etag), MARKETS_MAX_AGE_S)
    return body, etag


class MeView(ApiView):
    @extend_schema(
        operation_id="me_retrieve",
        summary="Your own profile",
        parameters=[IF_NONE_MATCH],
        responses={200: shapes.OwnProfileSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> Response:
        me = queries.get_own_profile(str(request.user.pk))
        return etags.not_modified(request, _etag(me)) or _own_profile(me)

    @extend_schema(
        operation_id="me_update",
        summary="Change your profile",
        parameters=[IF_MATCH],
        request=shapes.ProfileChangeSerializer,
        responses={
            200: shapes.OwnProfileSerializer,
            412: OpenApiResponse(description="`stale_etag`: it was changed in the meantime; read it again."),
            422: OpenApiResponse(description="`invalid_profile`, with every problem at once."),
            428: OpenApiResponse(description="`if_match_required`."),
        },
    )
    def patch(self, request: Request) -> Response:
        change = self.body(request, shapes.ProfileChangeSerializer)
        consent = change.pop("training_consent", None)
        me = queries.get_own_profile(str(request.user.pk))
        etags.require_if_match(request, _etag(me))
        return _own_profile(
            services.change_profile(
                member_id=me.id,
                expected_version=me.version,
                change=services.ProfileChange(
                    **change,
                    training_consent=None if consent is None else services.ConsentChange(**consent),
                ),
                now=clock.now(),
            )
        )


def _etag(me: queries.OwnProfile) -> str:
    # Address and second factor are changed by allauth, which does not know of our version.
    others = hashlib.sha256(f"{me.email} {me.has_second_factor} {me.currency}".encode()).hexdigest()[:8]
    return etags.etag_for(me.id, me.version, others)


def _own_profile(me: queries.OwnProfile) -> Response:
    body = dataclasses.asdict(me)
    del body["version"]
    return Response(body, headers={"ETag": _etag(me)})


class MyRestrictionsView(ApiView):
    @extend_schema(
        operation_id="me_restrictions_list",
        summary="What you may not do at the moment, and why",
        responses=shapes.OwnRestrictionListSerializer,
    )
    def get(self, request: Request) -> Response:
        standing = queries.list_restrictions(str(request.user.pk), now=clock.now())
        return Response(
            {
                "results": [
                    {
                        "capability": restriction.capability,
                        "reason": restriction.reason,
                        "since_at": restriction.since_at,
                        "until_at": restriction.until_at,
                    }
                    for restriction in standing
                ]
            }
        )


class MyBlocksView(ApiView):
    query_serializers = {"GET": PageQuery}

    @extend_schema(
        operation_id="me_blocks_list",
        summary="Whom you blocked, the latest first",
        parameters=[PageQuery],
        responses=page_serializer("BlockedMemberPage", shapes.BlockedMemberSerializer),
    )
    def get(self, request: Request) -> Response:
        query = self.query()
        page = CursorPage(sort="-id", limit=query["limit"], cursor=query.get("cursor")).slice(
            queries.block_rows(str(request.user.pk))
        )
        facts = queries.list_member_facts(row["blocked_id"] for row in page.results)
        names = {member_id: found.display_name for member_id, found in facts.items()}
        return Response(
            page_body(
                request,
                page,
                lambda row: {
                    "member_id": row["blocked_id"],
                    "display_name": names.get(row["blocked_id"], ""),
                    "blocked_at": row["blocked_at"],
                },
            )
        )

    @extend_schema(
        operation_id="me_blocks_create",
        summary="Block a member",
        description="They do not see your profile any more, nor can they buy from you or write to you, and "
        "they are not told. Blocking somebody again changes nothing.",
        request=shapes.NewBlockSerializer,
        responses={
            204: OpenApiResponse(description="Blocked."),
            404: OpenApiResponse(description="`member_not_found`."),
        },
    )
    def post(self, request: Request) -> Response:
        blocked_id = self.body(request, shapes.NewBlockSerializer)["member_id"]
        services.block_member(member_id=str(request.user.pk), blocked_id=blocked_id, now=clock.now())
        return Response(status=204)


class MyBlockView(ApiView):
    @extend_schema(
        operation_id="me_blocks_destroy",
        summary="Unblock a member",
        responses={204: OpenApiResponse(description="Unblocked.")},
    )
    def delete(self, request: Request, member_id: str) -> Response:
        services.unblock_member(member_id=str(request.user.pk), blocked_id=member_id)
        return Response(status=204)


class MemberView(ApiView):
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="members_retrieve",
        summary="The public profile of a member",
        responses=shapes.PublicProfileSerializer,
    )
    def get(self, request: Request, member_id: str) -> Response:
        viewer_id = str(request.user.pk) if request.user.is_authenticated else None
        return Response(dataclasses.asdict(queries.get_public_profile(member_id, viewer_id=viewer_id)))
