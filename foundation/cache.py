"""The cache of server mode: Redis, without which everything is slower and nothing fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from foundation import metrics
from foundation.outages import Outage

logger = structlog.get_logger(__name__)

# redis-py tries again three times with growing pauses; a cache that has to be waited for is none.
CLIENT_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "retry": Retry(NoBackoff(), 0),
}
outage = Outage()


class PatientRedisCache(RedisCache):
    """RedisCache that forgets everything while Redis does not answer, instead of raising."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": CLIENT_OPTIONS | params.get("OPTIONS", {})})

    def _or(self, instead: Any, call: Callable[[], Any]) -> Any:
        if outage.lasts():
            return instead
        try:
            return call()
        except RedisError as error:
            outage.begin()
            metrics.CACHE_OUTAGES.inc()
            logger.warning("cache_unavailable", error=type(error).__name__)
            return instead

    def add(self, *args: Any, **kwargs: Any) -> Any:
        # "Added": a caller that fences with it proceeds, as without any cache.
        return self._or(True, lambda: super(PatientRedisCache, self).add(*args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._or(default, lambda: super(PatientRedisCache, self).get(key, default, version))

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._or(None, lambda: super(PatientRedisCache, self).set(*args, **kwargs))

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, lambda: super(PatientRedisCache, self).touch(*args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, lambda: super(PatientRedisCache, self).delete(*args, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._or({}, lambda: super(PatientRedisCache, self).get_many(*args, **kwargs))

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, lambda: super(PatientRedisCache, self).has_key(*args, **kwargs))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> Any:
        return self._or(delta, lambda: super(PatientRedisCache, self).incr(key, delta, version))

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return self._or(list(data), lambda: super(PatientRedisCache, self).set_many(data, *args, **kwargs))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._or(None, lambda: super(PatientRedisCache, self).delete_many(*args, **kwargs))

    def clear(self) -> Any:
        return self._or(False, lambda: super(PatientRedisCache, self).clear())
