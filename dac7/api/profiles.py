"""The tax profile of whoever is signed in, and which number is the TIN where."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dac7.api import shapes
from dac7.dossiers import EntityType
from dac7.queries.profiles import ProfileFacts, find_profile, get_profile_or_proposal
from dac7.services.erasing import ask_for_erasure
from dac7.services.profiling import give_tax_profile
from dac7.tins import TinKind, kinds_of, places_in
from foundation import clock
from foundation.api import etags
from foundation.api.views import ApiView
from members.api.authentication import require_recent_second_factor

_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the version you change. Missing: 428; not needed the first time.",
)
_LANGUAGE = OpenApiParameter(
    "Accept-Language", str, OpenApiParameter.HEADER, description="Language of the guide: en, de, fr, lt."
)
_SECOND_FACTOR = OpenApiResponse(
    description="`second_factor_required`: with an authenticator app, give a code again "
    "(POST /_allauth/app/v1/auth/2fa/reauthenticate); it counts for five minutes."
)


class TaxProfileView(ApiView):
    @extend_schema(
        operation_id="tax_profile_retrieve",
        summary="Your tax profile, and what is still asked for",
        description="Before it is given: a proposal from what you have said elsewhere. `missing` names all "
        "that is still to be said and nothing else.",
        parameters=[_LANGUAGE],
        responses=shapes.TaxProfileSerializer,
    )
    def get(self, request: Request) -> Response:
        facts = get_profile_or_proposal(str(request.user.pk))
        if not facts.is_given:
            return Response(_body(facts))
        return _answer(request, facts)

    @extend_schema(
        operation_id="tax_profile_update",
        summary="Say who you are for taxes",
        description="Whole: what is left out is no longer said, but a tax number without `number` stays. "
        "Refused with every problem at once, and then nothing is saved. Stored encrypted.",
        parameters=[_IF_MATCH, _LANGUAGE],
        request=shapes.TaxProfileDetailsSerializer,
        responses={
            200: shapes.TaxProfileSerializer,
            403: _SECOND_FACTOR,
            412: OpenApiResponse(description="`stale_etag`: it was changed in the meantime; read it again."),
            422: OpenApiResponse(description="`invalid_tax_profile`, with every problem at once."),
            428: OpenApiResponse(description="`if_match_required`: it was given before."),
        },
    )
    def put(self, request: Request) -> Response:
        body, now = self.body(request, shapes.TaxProfileDetailsSerializer), clock.now()
        require_recent_second_factor(request, now=now)
        member_id = str(request.user.pk)
        known = find_profile(member_id)
        if known is not None:
            etags.require_if_match(request, _etag(request, known))
        facts = give_tax_profile(
            member_id=member_id,
            details=shapes.details_from(body),
            expected_version=None if known is None else known.version,
            now=now,
        )
        return _answer(request, facts)

    @extend_schema(
        operation_id="tax_profile_destroy",
        summary="Ask that your tax profile be deleted",
        description="The law has us keep it for some years; it is deleted after that day.",
        responses={
            202: shapes.TaxErasureSerializer,
            404: OpenApiResponse(description="`tax_profile_not_found`."),
        },
    )
    def delete(self, request: Request) -> Response:
        kept_until = ask_for_erasure(member_id=str(request.user.pk), now=clock.now())
        return Response({"kept_until": kept_until}, status=202)


class TaxNumbersView(ApiView):
    query_serializers = {"GET": shapes.TinGuideQuerySerializer}

    @extend_schema(
        operation_id="tax_numbers_list",
        summary="Which number is the tax number in a state",
        parameters=[shapes.TinGuideQuerySerializer, _LANGUAGE],
        responses=shapes.TinGuideListSerializer,
    )
    def get(self, request: Request) -> Response:
        query = self.query()
        kinds = kinds_of(query["state"].upper(), EntityType(query["entity_type"]))
        return Response({"results": [_guide(kind) for kind in kinds]})


def _language() -> str:
    return (get_language() or "en").partition("-")[0]


def _etag(request: Request, facts: ProfileFacts) -> str:
    return etags.etag_for(request.user.pk, facts.version)


def _answer(request: Request, facts: ProfileFacts) -> Response:
    return Response(_body(facts), headers={"ETag": _etag(request, facts)})


def _guide(kind: TinKind) -> dict[str, Any]:
    return {
        "state": kind.state,
        "name": kind.name,
        "shapes": kind.shapes,
        "example": kind.example,
        "where": places_in(kind, _language()),
    }


def _body(facts: ProfileFacts) -> dict[str, Any]:
    details = facts.details
    born = {"city": details.birth_city, "country": details.birth_country or None}
    return {
        "is_given": facts.is_given,
        "entity_type": details.entity_type,
        "first_name": details.first_name,
        "last_name": details.last_name,
        "birth_date": details.birth_date,
        "birth_place": born if details.birth_city or details.birth_country else None,
        "legal_name": details.legal_name,
        "registration_number": details.registration_number,
        "registered_in": details.registered_in,
        "establishments": details.establishments,
        "address": {
            "street": details.street,
            "building": details.building,
            "postal_code": details.postal_code,
            "city": details.city,
            "country": details.country,
        },
        "tins": [dataclasses.asdict(number) for number in facts.numbers],
        "has_no_tin": details.has_no_tin,
        "vat_number": details.vat_number,
        "missing": [dataclasses.asdict(problem) for problem in facts.missing],
        "checks": [dataclasses.asdict(check) for check in facts.checks],
        "tin_guide": [_guide(kind) for kind in kinds_of(details.country, details.entity_type)],
        "changed_at": facts.changed_at,
    }
