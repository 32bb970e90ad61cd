"""Idempotency-Key: a POST sent twice has one effect and one answer.

Follows draft-ietf-httpapi-idempotency-key-header. The answer is stored in the transaction of the
effect. Only successful answers are stored: after a refusal nothing has happened, so the same key
may be tried again. A process that dies half-way leaves a `running` row whose effect was rolled
back; the next try takes it over once its lease has run out.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock, metrics
from foundation.api.rendering import dumps
from foundation.db import atomic_retry
from foundation.errors import Conflict, Malformed, RuleBroken
from foundation.ids import new_id
from foundation.models import IdempotencyRecord

# With or without the quotes of a structured field.
KEY = re.compile(r'(?P<quote>"?)(?P<key>[!#-~]{1,255})(?P=quote)')
LEASE = timedelta(seconds=60)
KEEP = timedelta(hours=48)
STORED_HEADERS = ("Location", "ETag", "Retry-After", "Preference-Applied")


class IdempotencyKeyRequired(Malformed):
    code = "idempotency_key_required"
    title = "Send an Idempotency-Key with this request"


class IdempotencyKeyInvalid(Malformed):
    code = "idempotency_key_invalid"
    title = "The Idempotency-Key is not 1 to 255 visible ASCII characters"


class IdempotencyKeyReused(RuleBroken):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class IdempotencyKeyInUse(Conflict):
    code = "idempotency_key_in_use"
    title = "The first request with this Idempotency-Key is still running"


def idempotent(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Wrap a view's `post`; ApiView does it by itself. `view.idempotency` is "optional" or "required"."""

    @functools.wraps(handler)
    def post(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        if getattr(request, "holds_idempotency_key", False):
            # A subclass called super().post(): the key is its own already.
            return handler(view, request, *args, **kwargs)
        header = request.headers.get("Idempotency-Key")
        if header is None:
            if view.idempotency == "required":
                raise IdempotencyKeyRequired
            view.prepare(request)
            return handler(view, request, *args, **kwargs)
        match = KEY.fullmatch(header)
        if match is None:
            raise IdempotencyKeyInvalid
        if not request.user.is_authenticated:
            # Nobody to keep the answer for; the handler decides whether it serves strangers.
            view.prepare(request)
            return handler(view, request, *args, **kwargs)
        request.holds_idempotency_key = True  # type: ignore[attr-defined]
        return _run_once(
            match["key"],
            request,
            prepare=lambda: view.prepare(request),
            handle=lambda: handler(view, request, *args, **kwargs),
        )

    return post


def _run_once(
    key: str, request: Request, *, prepare: Callable[[], None], handle: Callable[[], Response]
) -> Response:
    member_id = str(request.user.pk)
    fence = hashlib.sha256(f"{request.method} {request.path} {key}".encode()).hexdigest()
    now = clock.real_now()
    owner = new_id()
    stored = _begin(member_id=member_id, fence=fence, fingerprint=_fingerprint(request), owner=owner, now=now)
    if stored is not None:
        metrics.IDEMPOTENT_REPLAYS.inc()
        return Response(
            orjson.loads(stored.response_body) if stored.response_body else None,
            status=stored.response_status,
            headers={**stored.response_headers, "Idempotent-Replayed": "true"},
        )
    mine = IdempotencyRecord.objects.filter(member_id=member_id, fence=fence, owner=owner)

    @atomic_retry
    def effect_and_answer() -> Response:
        # A second attempt must not find them read to the end.
        for _, files in request.FILES.lists():
            for file in files:
                file.seek(0)
        response = handle()
        if response.status_code < 400:
            kept = mine.update(
                status=IdempotencyRecord.DONE,
                response_status=response.status_code,
                response_headers={n: str(response[n]) for n in STORED_HEADERS if response.has_header(n)},
                response_body="" if response.data is None else dumps(response.data).decode(),
            )
            if not kept:
                # Our lease ran out and another request took over: it answers, we undo.
                raise IdempotencyKeyInUse(retry_after_s=1)
        return response

    try:
        # Outside of the transaction, and not for a repeat: its answer is here, whatever the outside says now.
        prepare()
        response = effect_and_answer()
    except BaseException:
        mine.filter(status=IdempotencyRecord.RUNNING).delete()
        raise
    if response.status_code >= 400:
        mine.filter(status=IdempotencyRecord.RUNNING).delete()
    return response


def _begin(
    *, member_id: str, fence: str, fingerprint: str, owner: str, now: datetime
) -> IdempotencyRecord | None:
    """Take the key, or return the stored first answer. Raises when reused or still running."""

    # Of several inserts of one key that wait for a deletion InnoDB lets one through and calls the others
    # deadlocked, hence the retry; the inner block keeps a caller's transaction usable after the refusal.
    @atomic_retry
    def insert() -> None:
        with transaction.atomic():
            IdempotencyRecord.objects.create(
                member_id=member_id,
                fence=fence,
                fingerprint=fingerprint,
                owner=owner,
                lease_until=now + LEASE,
                created_at=now,
            )

    try:
        insert()
        return None
    except IntegrityError:
        record = IdempotencyRecord.objects.filter(member_id=member_id, fence=fence).first()
    if record is None:
        # The first request was refused between our two statements: the key is free again.
        raise IdempotencyKeyInUse(retry_after_s=1)
    if record.fingerprint != fingerprint:
        raise IdempotencyKeyReused("Use a fresh key for a different request.")
    if record.status == IdempotencyRecord.DONE:
        return record
    taken = IdempotencyRecord.objects.filter(
        pk=record.pk, owner=record.owner, status=IdempotencyRecord.RUNNING, lease_until__lte=now
    ).update(owner=owner, lease_until=now + LEASE)
    if not taken:
        raise IdempotencyKeyInUse(retry_after_s=max(1, round((record.lease_until - now).total_seconds())))
    return None


def _fingerprint(request: Request) -> str:
    """Over what the request says, not how it was encoded: multipart boundaries change on retry.

    Keyed: who reads the table cannot try out which account number or name a request may have held.
    """
    digest = hashlib.sha256()
    data = request.data
    if hasattr(data, "lists"):
        for name, values in sorted(data.lists()):
            for value in values:
                if hasattr(value, "chunks"):
                    digest.update(orjson.dumps([name, "file", value.size]))
                    for chunk in value.chunks():
                        digest.update(chunk)
                else:
                    digest.update(orjson.dumps([name, "text", value]))
    else:
        digest.update(orjson.dumps(data, option=orjson.OPT_SORT_KEYS))
    digest.update(orjson.dumps(sorted(request.query_params.lists())))
    return salted_hmac("foundation.idempotency", digest.digest(), algorithm="sha256").hexdigest()


def purge(*, now: datetime) -> int:
    """Forget answers older than KEEP; returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=now - KEEP).delete()[0]
