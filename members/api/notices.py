"""The member's inbox, and which mails come besides."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_page
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.api import etags
from foundation.api.pagination import CursorPage, page_body
from foundation.api.views import ApiView
from foundation.languages import Texts, in_language, supported
from members import queries
from members.api import notice_shapes as shapes
from members.notices.kinds import Category, find_kind
from members.notices.mails import BrokenLink, read_unsubscribe_token
from members.notices.rendering import Reader, render
from members.services import notices

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the version you change. Missing: 428.",
)
ACCEPT_LANGUAGE = OpenApiParameter(
    "Accept-Language",
    str,
    OpenApiParameter.HEADER,
    description="Language of the texts: en, de, fr, lt. Default: that of your profile.",
)
NOT_FOUND = OpenApiResponse(description="`notification_not_found`.")


class NotificationsView(ApiView):
    query_serializers = {"GET": shapes.NotificationsQuery}

    @extend_schema(
        operation_id="me_notifications_list",
        summary="Your inbox, the latest first",
        description="A page may hold fewer than `limit` although there are more: the list ends where `next` "
        "is null. Notifications are kept for a year.",
        parameters=[shapes.NotificationsQuery, ACCEPT_LANGUAGE],
        responses=shapes.NotificationPageSerializer,
    )
    def get(self, request: Request) -> Response:
        query, member_id = self.query(), str(request.user.pk)
        rows = queries.notice_rows(member_id, unread=query["unread"], category=query.get("category"))
        page = CursorPage(sort="-id", limit=query["limit"], cursor=query.get("cursor")).slice(rows)
        reader = _reader(request, member_id)
        body = page_body(request, page, lambda row: _notice_body(row, reader))
        body["results"] = [result for result in body["results"] if result is not None]
        return Response(body | {"unread_count": queries.count_unread(member_id)})


def _reader(request: Request, member_id: str) -> Reader:
    me = queries.get_member_facts(member_id)
    chosen = get_language() if request.headers.get("Accept-Language") else me.language
    return Reader(supported(chosen), me.time_zone)


def _notice_body(row: dict[str, Any], reader: Reader) -> dict[str, Any] | None:
    kind = find_kind(row["kind"])
    if kind is None:
        return None  # while releases change, of the newer one
    text = render(kind, row["params"], reader)
    subject_type, _, subject_id = row["subject"].partition(":")
    return {
        "id": row["id"],
        "kind": row["kind"],
        "category": row["category"],
        "title": text.title,
        "body": text.body,
        "link": text.link,
        "subject": {"type": subject_type, "id": subject_id},
        "created_at": row["created_at"],
        "read_at": row["read_at"],
    }


class NotificationReadView(ApiView):
    @extend_schema(
        operation_id="me_notifications_read",
        summary="Mark a notification as read",
        description="Again changes nothing.",
        request=None,
        responses={204: OpenApiResponse(description="Read."), 404: NOT_FOUND},
    )
    def post(self, request: Request, notice_id: str) -> Response:
        self.no_body(request)
        notices.mark_read(member_id=str(request.user.pk), notice_id=notice_id, now=clock.now())
        return Response(status=204)


class NotificationsReadView(ApiView):
    @extend_schema(
        operation_id="me_notifications_read_until",
        summary="Mark a notification and all before it as read",
        request=shapes.ReadUntilSerializer,
        responses={200: shapes.ReadUntilAnswerSerializer, 404: NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        until = self.body(request, shapes.ReadUntilSerializer)["until"]
        read = notices.mark_read_until(member_id=str(request.user.pk), notice_id=until, now=clock.now())
        return Response({"read": read})


class NotificationSettingsView(ApiView):
    @extend_schema(
        operation_id="me_notification_settings_retrieve",
        summary="Which notifications also come by mail",
        responses=shapes.NotificationSettingsSerializer,
    )
    def get(self, request: Request) -> Response:
        return _settings(str(request.user.pk))

    @extend_schema(
        operation_id="me_notification_settings_update",
        summary="Choose which notifications also come by mail",
        parameters=[IF_MATCH],
        request=shapes.NotificationSettingsSerializer,
        responses={
            200: shapes.NotificationSettingsSerializer,
            412: OpenApiResponse(description="`stale_etag`: it was changed in the meantime; read it again."),
            428: OpenApiResponse(description="`if_match_required`."),
        },
    )
    def put(self, request: Request) -> Response:
        chosen = self.body(request, shapes.NotificationSettingsSerializer)["mail"]
        member_id = str(request.user.pk)
        version = queries.get_mail_choice(member_id).version
        etags.require_if_match(request, _etag(member_id, version))
        notices.choose_mails(
            member_id=member_id,
            mail={Category(name): on for name, on in chosen.items()},
            expected_version=version,
        )
        return _settings(member_id)


def _etag(member_id: str, version: int) -> str:
    return etags.etag_for("notification-settings", member_id, version)


def _settings(member_id: str) -> Response:
    choice = queries.get_mail_choice(member_id)
    body = {"mail": {category.value: on for category, on in choice.mail.items()}}
    return Response(body, headers={"ETag": _etag(member_id, choice.version)})


_PAGE: dict[str, Texts] = {
    "question": (
        "No more mails of this kind?",
        "Keine Mails dieser Art mehr?",
        "Ne plus recevoir ce type de message ?",
        "Nebegauti tokių laiškų?",
    ),
    "ask": ("Unsubscribe", "Abbestellen", "Se désabonner", "Atsisakyti"),
    "done": (
        "You will get no more mails of this kind.",
        "Du bekommst keine Mails dieser Art mehr.",
        "Vous ne recevrez plus ce type de message.",
        "Tokių laiškų nebegausite.",
    ),
    "broken": (
        "This link is broken.",
        "Dieser Link ist unvollständig.",
        "Ce lien est incomplet.",
        "Ši nuoroda neveikia.",
    ),
}


@csrf_exempt  # the token is what permits it, and mail programs send no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a mail (RFC 8058). Only POST changes something: mail filters open links to look at them."""
    status, said, ask = 200, "question", True
    try:
        member_id, category = read_unsubscribe_token(token)
    except BrokenLink:
        status, said, ask = 404, "broken", False
    else:
        if request.method == "POST":
            notices.switch_off_mails(member_id=member_id, category=category)
            said, ask = "done", False
    language = supported(get_language())
    context = {
        "language": language,
        "title": in_language(_PAGE[said], language),
        "ask": in_language(_PAGE["ask"], language) if ask else "",
    }
    return render_page(request, "members/notices/unsubscribe.html", context, status=status)
