"""Outside /api/v1: health, metrics, error pages, and the framework's errors in the API's shape."""

from __future__ import annotations

import functools
import hmac
import ipaddress
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from foundation import errors
from foundation.api import problems
from foundation.ids import new_id

logger = structlog.get_logger(__name__)


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else, so that a slow database does not restart the web."""
    return JsonResponse({"status": "ok"})


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@functools.cache
def _migrations() -> None:
    # Reads every migration file. What this code knows as applied stays applied, so success is kept;
    # a failure raises and is asked about again.
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError(f"{len(plan)} migrations are not applied")


def _cache() -> None:
    key = f"readyz-{new_id()}"
    cache.set(key, "1", 10)
    if cache.get(key) != "1":
        raise RuntimeError("the cache forgets")
    cache.delete(key)


def _media() -> None:
    # Listing or writing a probe file would cost money on every scrape in S3: ask about one name.
    default_storage.exists("readyz")


def _broker() -> None:
    from celery import current_app

    with current_app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


# name -> (check, whether its failure takes the replica out of rotation). Without cache or broker
# requests are still served and rows still queue; the sweepers ring again when they are back. Without
# the bucket only uploads fail, and all replicas share it: taking all of them away would stop browsing.
CHECKS: dict[str, tuple[Callable[[], None], bool]] = {
    "database": (_database, True),
    "migrations": (_migrations, True),
    "media": (_media, False),
    "cache": (_cache, False),
    "broker": (_broker, False),
}


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether this replica should get traffic, and what it can reach. 503 when a needed part is missing."""
    results: dict[str, str] = {}
    ready = True
    for name, (check, needed) in CHECKS.items():
        try:
            check()
            results[name] = "ok"
        except Exception as error:
            # Whatever a part raises, the answer names the part and the log the reason.
            logger.warning("readiness_check_failed", check=name, exc_info=error)
            results[name] = "failed" if needed else "degraded"
            ready = ready and not needed
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": results}, status=200 if ready else 503
    )


def _may_scrape(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    # A proxy on this machine also comes from loopback; it speaks for somebody else.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text of all processes of this machine: by METRICS_TOKEN as bearer, else from loopback."""
    if not _may_scrape(request):
        return problems.as_response(errors.NotFound(), request)
    registry: CollectorRegistry = REGISTRY
    if settings.METRICS_DIR:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=settings.METRICS_DIR)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


@require_safe
def problem_page(request: HttpRequest, code: str) -> HttpResponse:
    """The page that a problem's `type` points to."""
    kind = problems.registry().get(code)
    if kind is None:
        raise Http404
    return render(
        request,
        "foundation/problem.html",
        {"kind": kind, "status": problems.status_of(kind()), "about": (kind.__doc__ or "").strip()},
    )


@require_safe
def problem_index(request: HttpRequest) -> HttpResponse:
    """Every error code of the API."""
    kinds = [(kind, problems.status_of(kind())) for kind in problems.registry().values()]
    return render(request, "foundation/problems.html", {"kinds": kinds})


def bad_request(request: HttpRequest, exception: Exception, *args: Any) -> HttpResponse:
    """handler400 in the API's error shape."""
    return problems.as_response(problems.domain_error_of(exception) or errors.Malformed(), request)


def permission_denied(request: HttpRequest, exception: Exception, *args: Any) -> HttpResponse:
    """handler403 in the API's error shape."""
    return problems.as_response(errors.Forbidden(), request)


def not_found(request: HttpRequest, exception: Exception, *args: Any) -> HttpResponse:
    """handler404 in the API's error shape."""
    return problems.as_response(errors.NotFound(f"Nothing is at {request.path}."), request)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """handler500 in the API's error shape."""
    return problems.as_response(
        problems.InternalError("It is logged; quote the request id when you ask about it."), request
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW in the API's error shape."""
    return problems.as_response(errors.Forbidden("The CSRF check failed."), request)
