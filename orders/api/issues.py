"""Issues: what is wrong with an order, the evidence, and how the two settle it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foundation import clock
from foundation.api import etags
from foundation.api.limits import Policy
from foundation.api.serializers import (
    MoneySerializer,
    StrictCharField,
    StrictIntegerField,
    StrictRegexField,
    StrictSerializer,
)
from foundation.api.views import ApiView
from listings.api.photos import uploaded
from listings.api.shapes import UPLOAD_REQUEST
from orders.api.addresses import AddressSerializer, address_body
from orders.api.shapes import ROLES
from orders.models import Issue, Proposal
from orders.models.issues import TEXT_MAX
from orders.queries.issues import IssueFacts, get_issue, read_evidence
from orders.services import issues

_NOT_NOW = OpenApiResponse(description="`invalid_transition`; see `allowed_actions` of the issue.")


class ReportIssueSerializer(StrictSerializer):
    """What is wrong. Photos are added afterwards."""

    kind = serializers.ChoiceField(choices=Issue.Kind.choices)
    text = StrictCharField(max_length=TEXT_MAX)


class ProposeSerializer(StrictSerializer):
    """How you would settle it."""

    kind = serializers.ChoiceField(choices=Proposal.Kind.choices)
    amount = MoneySerializer(required=False, help_text="Of a part, and only then.")
    postage_by = serializers.ChoiceField(
        choices=["buyer", "seller"],
        required=False,
        help_text="Of a return, and only then: who pays the way back. Without it the buyer.",
    )


class AnswerSerializer(StrictSerializer):
    """Which proposal you have seen."""

    number = StrictIntegerField(min_value=1, max_value=32_767)


class SendBackSerializer(StrictSerializer):
    """How the parcel can be followed."""

    tracking_number = StrictRegexField(r"^[A-Za-z0-9 .-]{1,60}\Z")


class IssueEvidenceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    added_by = serializers.ChoiceField(choices=ROLES)
    added_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="A JPEG, for the two of you.")


class ProposalSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    by = serializers.ChoiceField(choices=ROLES)
    kind = serializers.ChoiceField(choices=Proposal.Kind.choices)
    amount = MoneySerializer(allow_null=True)
    postage_by = serializers.CharField(allow_null=True)
    status = serializers.CharField(help_text="`open`, `accepted`, `declined`, `replaced` or `ended`.")
    made_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class IssueSerializer(serializers.Serializer[Any]):
    """An issue of an order of yours. Where it stands is the order's status."""

    id = serializers.CharField()
    order_id = serializers.CharField()
    role = serializers.ChoiceField(choices=ROLES, help_text="Which of the two you are.")
    status = serializers.CharField(help_text="The order's.")
    kind = serializers.ChoiceField(choices=Issue.Kind.choices)
    text = serializers.CharField()
    opened_at = serializers.DateTimeField()
    agree_by = serializers.DateTimeField(allow_null=True, help_text="Then support decides.")
    send_back_by = serializers.DateTimeField(allow_null=True)
    postage_by = serializers.CharField(allow_null=True, help_text="Of a return: buyer, seller or platform.")
    return_tracking = serializers.CharField(allow_null=True)
    return_to = AddressSerializer(
        allow_null=True,
        help_text="For the buyer who sends it back without a label of ours; null until the seller says it.",
    )
    decision = serializers.CharField(allow_null=True, help_text="What support says.")
    evidence = IssueEvidenceSerializer(many=True)
    proposals = ProposalSerializer(many=True, help_text="The first one first.")
    allowed_actions = serializers.ListField(
        child=serializers.CharField(),
        help_text="What you may do now: `propose_refund`, `propose_part`, `propose_return`, `accept`, "
        "`decline`, `escalate`, `send_back`, `receive`, `add_evidence`.",
    )


def issue_body(issue: IssueFacts, request: Request) -> dict[str, Any]:
    """IssueSerializer."""
    return {
        **{
            name: getattr(issue, name)
            for name in (
                *("id", "order_id", "role", "status", "kind", "text", "opened_at"),
                *("agree_by", "send_back_by"),
            )
        },
        "postage_by": issue.postage_by or None,
        "return_tracking": issue.return_tracking or None,
        "return_to": None if issue.return_to is None else address_body(issue.return_to),
        "decision": issue.decision or None,
        "evidence": [
            {
                "id": photo.id,
                "added_by": photo.added_by,
                "added_at": photo.added_at,
                "url": reverse(
                    "issue-evidence", kwargs={"issue_id": issue.id, "evidence_id": photo.id}, request=request
                ),
            }
            for photo in issue.evidence
        ],
        "proposals": [
            {
                "number": row.number,
                "by": row.by,
                "kind": row.kind,
                "amount": None if row.amount is None else row.amount.as_json(),
                "postage_by": row.postage_by or None,
                "status": row.status,
                "made_at": row.made_at,
                "answered_at": row.answered_at,
            }
            for row in issue.proposals
        ],
        "allowed_actions": list(issue.allowed_actions),
    }


def _answer(request: Request, issue_id: str, status: int = 200) -> Response:
    issue = get_issue(str(request.user.pk), issue_id)
    etag = etags.etag_for(issue.id, issue.version)
    return Response(issue_body(issue, request), status=status, headers={"ETag": etag})


class OrderIssueView(ApiView):
    @extend_schema(
        operation_id="orders_issue",
        summary="As the buyer, report an issue",
        description="Until `deadlines.report_issue_until`. The seller is not paid until it is settled.",
        request=ReportIssueSerializer,
        responses={
            201: IssueSerializer,
            409: OpenApiResponse(description="`dispute_window_closed` or `invalid_transition`."),
        },
    )
    def post(self, request: Request, order_id: str) -> Response:
        body = self.body(request, ReportIssueSerializer)
        issue_id = issues.report_issue(
            buyer_id=str(request.user.pk), order_id=order_id, now=clock.now(), **body
        )
        response = _answer(request, issue_id, status=201)
        response["Location"] = reverse("issue", kwargs={"issue_id": issue_id}, request=request)
        return response


class IssueView(ApiView):
    @extend_schema(
        operation_id="issues_retrieve", summary="An issue of an order of yours", responses=IssueSerializer
    )
    def get(self, request: Request, issue_id: str) -> Response:
        return _answer(request, issue_id)


class IssueEvidenceView(ApiView):
    write_policy = Policy.UPLOAD

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()]

    @extend_schema(
        operation_id="issues_evidence_create",
        summary="Add a photo",
        description="One file in the field `photo`, as for listings. It is re-encoded, and seen by the "
        "two of you and support only.",
        request=UPLOAD_REQUEST,
        responses={
            201: IssueSerializer,
            409: OpenApiResponse(description="`too_much_evidence` or `invalid_transition`."),
            413: OpenApiResponse(description="`photo_too_large`."),
            415: OpenApiResponse(
                description="`photo_type_not_accepted`, `photo_type_mismatch`, `photo_animated`."
            ),
            422: OpenApiResponse(description="`photo_empty`, `photo_damaged`, `photo_has_foreign_data`, ..."),
        },
    )
    def post(self, request: Request, issue_id: str) -> Response:
        issues.add_evidence(
            member_id=str(request.user.pk), issue_id=issue_id, now=clock.now(), **uploaded(request)
        )
        return _answer(request, issue_id, status=201)


class EvidencePhotoView(ApiView):
    @extend_schema(
        operation_id="issues_evidence_retrieve",
        summary="A photo of an issue",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, issue_id: str, evidence_id: str) -> HttpResponse:
        photo = read_evidence(str(request.user.pk), issue_id, evidence_id)
        return HttpResponse(photo, content_type="image/jpeg", headers={"X-Content-Type-Options": "nosniff"})


class ProposeView(ApiView):
    @extend_schema(
        operation_id="issues_propose",
        summary="Propose how to settle it, in place of what is open",
        request=ProposeSerializer,
        responses={
            200: IssueSerializer,
            409: _NOT_NOW,
            422: OpenApiResponse(description="`invalid_proposal` or `refund_exceeds_remaining`."),
        },
    )
    def post(self, request: Request, issue_id: str) -> Response:
        body = self.body(request, ProposeSerializer)
        is_return = body["kind"] == Proposal.Kind.RETURN
        terms = issues.Terms(
            kind=body["kind"],
            amount=body.get("amount"),
            postage_by=body.get("postage_by", "buyer" if is_return else ""),
        )
        issues.propose(member_id=str(request.user.pk), issue_id=issue_id, terms=terms, now=clock.now())
        return _answer(request, issue_id)


Verb = Callable[[str, str, dict[str, Any], datetime], None]


def _verb_view(
    name: str,
    act: Verb,
    summary: str,
    shape: type[StrictSerializer] | None = None,
    *,
    moves_money: bool = False,
) -> Callable[..., Any]:
    class VerbView(ApiView):
        @extend_schema(
            operation_id=f"issues_{name}",
            summary=summary,
            request=shape,
            responses={200: IssueSerializer, 409: _NOT_NOW},
        )
        def post(self, request: Request, issue_id: str) -> Response:
            body: dict[str, Any] = {}
            if shape is None:
                self.no_body(request)
            else:
                body = self.body(request, shape)
            act(str(request.user.pk), issue_id, body, clock.now())
            return _answer(request, issue_id)

    VerbView.__name__ = VerbView.__qualname__ = f"{name.title().replace('_', '')}IssueView"
    if moves_money:
        VerbView.idempotency = "required"
    return VerbView.as_view()


accept_view = _verb_view(
    "accept",
    lambda me, issue, body, now: issues.accept(member_id=me, issue_id=issue, number=body["number"], now=now),
    "Agree to what the other proposed; it is done at once",
    AnswerSerializer,
    moves_money=True,
)
decline_view = _verb_view(
    "decline",
    lambda me, issue, body, now: issues.decline(member_id=me, issue_id=issue, number=body["number"], now=now),
    "Say no to what the other proposed",
    AnswerSerializer,
)
escalate_view = _verb_view(
    "escalate",
    lambda me, issue, body, now: issues.escalate(member_id=me, issue_id=issue, now=now),
    "Have support decide",
)
send_back_view = _verb_view(
    "return",
    lambda me, issue, body, now: issues.send_back(buyer_id=me, issue_id=issue, now=now, **body),
    "As the buyer, say that it is sent back",
    SendBackSerializer,
)
receive_view = _verb_view(
    "receive",
    lambda me, issue, body, now: issues.receive_return(seller_id=me, issue_id=issue, now=now),
    "As the seller, say that it is back; the buyer gets the money",
    moves_money=True,
)
