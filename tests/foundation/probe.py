"""Views for these tests only: every part of the API kit behind a path, and who asks is said by a header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import views
from foundation.api import etags, pagination, problems
from foundation.api.limits import Policy
from foundation.api.serializers import (
    MoneySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from foundation.api.views import ApiView
from foundation.ids import new_id
from foundation.models import IdempotencyRecord


class Caller:
    """A member of whom the foundation knows only the id."""

    is_authenticated = True

    def __init__(self, pk: str) -> None:
        self.pk = pk


class ByHeader(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        member_id = request.headers.get("Member")
        return (Caller(member_id), None) if member_id else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ProbeView(ApiView):
    authentication_classes = (ByHeader,)


class Part(StrictSerializer):
    name = StrictCharField(max_length=10)


class Thing(StrictSerializer):
    name = StrictCharField(max_length=40)
    count = StrictIntegerField(min_value=1, required=False)
    sold = StrictBooleanField(required=False)
    price = MoneySerializer(required=False)
    parts = Part(many=True, required=False)


class ThingQuery(StrictSerializer):
    q = serializers.CharField(required=False, max_length=20)
    count = serializers.IntegerField(required=False)


class EchoView(ProbeView):
    query_serializers = {"GET": ThingQuery}

    def get(self, request: Request) -> Response:
        return Response(self.query())

    def post(self, request: Request) -> Response:
        body = self.body(request, Thing)
        return Response({"name": body["name"]}, status=201)

    def patch(self, request: Request) -> Response:
        body = self.body(request, Thing, partial=True)
        return Response({"changed": sorted(body)})

    def delete(self, request: Request) -> Response:
        self.no_body(request)
        return Response(status=204)


class RaiseView(ProbeView):
    """Raises what the test put into `fault`."""

    query_serializers = {"GET": ThingQuery}
    fault: Callable[[], Exception]

    def get(self, request: Request) -> Response:
        raise type(self).fault()


class EffectView(ProbeView):
    """Each effect is one row of the session table; the test may act in the middle of it."""

    middle: Callable[[Request], Response | None] = staticmethod(lambda request: None)

    def post(self, request: Request) -> Response:
        body = self.body(request, Thing)
        number = new_id()
        Session.objects.create(session_key=number, session_data=body["name"], expire_date=timezone.now())
        answer = type(self).middle(request)
        return answer or Response(
            {"number": number}, status=201, headers={"Location": f"/effects/{number}", "ETag": '"1"'}
        )


class PaymentView(EffectView):
    idempotency = "required"

    def post(self, request: Request) -> Response:
        return super().post(request)


class UploadView(ProbeView):
    parser_classes = (MultiPartParser,)
    write_policy = Policy.UPLOAD

    def post(self, request: Request) -> Response:
        file = request.FILES["photo"]
        content = file.read()
        Session.objects.create(
            session_key=new_id(), session_data=str(len(content)), expire_date=timezone.now()
        )
        return Response({"bytes": len(content)}, status=201)


class VersionView(ProbeView):
    current = etags.etag_for("thing", 3)

    def get(self, request: Request) -> Response:
        unchanged = etags.not_modified(request, self.current)
        return unchanged or Response({"version": 3}, headers={"ETag": self.current})

    def put(self, request: Request) -> Response:
        etags.require_if_match(request, self.current)
        return Response({"version": 4})


class RecordQuery(pagination.PageQuery):
    sort = serializers.ChoiceField(choices=["created_at", "-created_at", "fingerprint", "-id"], default="-id")


class RecordsView(ProbeView):
    query_serializers = {"GET": RecordQuery}

    def get(self, request: Request) -> Response:
        query = self.query()
        rows = IdempotencyRecord.objects.values("id", "created_at", "fingerprint")
        page = pagination.CursorPage(query["sort"], query["limit"], query.get("cursor")).slice(rows)
        return Response(pagination.page_body(request, page, lambda row: row["id"]))


class UnwritableView(ProbeView):
    def get(self, request: Request) -> Response:
        return Response({"a set": {1}})


def plain(request: HttpRequest) -> HttpResponse:
    """A view of Django itself, as the account library has them: reads the body at once."""
    return HttpResponse(str(len(request.body)))


api: list[Any] = [
    path("echo", EchoView.as_view()),
    path("raise", RaiseView.as_view()),
    path("effects", EffectView.as_view()),
    path("payments", PaymentView.as_view()),
    path("uploads", UploadView.as_view()),
    path("versions/3", VersionView.as_view()),
    path("records", RecordsView.as_view()),
    path("unwritable", UnwritableView.as_view()),
    path("plain", plain),
]
urlpatterns: list[Any] = [
    path("api/v1/", include(api)),
    path("livez", views.livez),
    path("readyz", views.readyz),
    path("metrics", views.metrics),
    path("api/problems", views.problem_index, name="problem-index"),
    path("api/problems/<slug:code>", views.problem_page, name="problem-page"),
]
handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.not_found
handler500 = views.server_error
PROBLEM = problems.CONTENT_TYPE
