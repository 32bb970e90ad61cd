"""Rate limits per member (or address, for strangers), with the headers that let clients pace themselves.

Headers follow draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy names quota and window,
RateLimit what is left and in how many seconds more of it is back. The windows are kept by the
`limits` library, in Redis when there is one. A store that does not answer lets requests through:
a limit protects the service, it must not be what stops it.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import ipaddress
import math
import time
from typing import cast

import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from foundation import metrics
from foundation.cache import CLIENT_OPTIONS
from foundation.errors import RateLimited
from foundation.outages import Outage

outage = Outage()
logger = structlog.get_logger(__name__)


class Policy(enum.StrEnum):
    """The named limits; their quotas are the setting RATE_LIMITS."""

    READ = "read"
    WRITE = "write"
    UPLOAD = "upload"
    STRANGER = "stranger"


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    # The asynchronous storages, which an async+ scheme would give, are another type.
    options = CLIENT_OPTIONS if settings.REDIS_URL else {}
    storage = storage_from_string(settings.RATE_LIMIT_STORE, **options)
    return SlidingWindowCounterRateLimiter(cast("Storage", storage))


@functools.cache
def _quota(text: str) -> RateLimitItem:
    return parse(text)


def _network_of(address: str) -> str:
    """The address itself; of IPv6 its /64, all of which one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False).network_address)


class RateLimit(BaseThrottle):
    """Counts a request against the policy of its method; raises RateLimited when none is left."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if request.user.is_authenticated:
            safe = request.method in ("GET", "HEAD", "OPTIONS")
            policy = Policy.READ if safe else getattr(view, "write_policy", Policy.WRITE)
            who = str(request.user.pk)
        else:
            policy = Policy.STRANGER
            # Hashed: the store needs to tell addresses apart, not to know them.
            who = hashlib.sha256(_network_of(self.get_ident(request) or "").encode()).hexdigest()[:32]
        item = _quota(settings.RATE_LIMITS[policy.value])
        if outage.lasts():
            metrics.RATE_LIMIT_STORE_ERRORS.inc()
            return True
        try:
            allowed = _limiter().hit(item, policy.value, who)
            stats = _limiter().get_window_stats(item, policy.value, who)
        except Exception:
            # Whatever the store raises (each has its own errors): serve, and let the metric alert.
            outage.begin()
            metrics.RATE_LIMIT_STORE_ERRORS.inc()
            logger.warning("rate_limit_store_unavailable", exc_info=True)
            return True
        reset_s = max(1, math.ceil(stats.reset_time - time.time()))
        window_s = item.get_expiry()
        request._request.rate_limit_headers = {  # type: ignore[attr-defined]
            "RateLimit-Policy": f'"{policy.value}";q={item.amount};w={window_s}',
            "RateLimit": f'"{policy.value}";r={max(0, stats.remaining)};t={reset_s}',
        }
        if not allowed:
            metrics.RATE_LIMITED.labels(policy.value).inc()
            raise RateLimited(
                f"At most {item.amount} requests in {window_s} seconds.", retry_after_s=min(reset_s, window_s)
            )
        return True
