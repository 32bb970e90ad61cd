"""Rate limits and their headers (draft-ietf-httpapi-ratelimit-headers), in memory and in Redis."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from foundation import outages
from foundation.api import limits
from tests.foundation.test_problems import problem_of

ECHO = "/api/v1/echo"


@pytest.fixture(autouse=True)
def _small_quotas(settings: Any) -> Iterator[None]:
    settings.RATE_LIMITS = {
        "read": "3/minute",
        "write": "2/minute",
        "upload": "1/minute",
        "stranger": "2/minute",
    }
    limits.outage.end()
    yield
    limits.outage.end()
    limits._limiter.cache_clear()


def within_one_window() -> None:
    """The window of a quota starts with the full minute; a test must not straddle two."""
    left = 60 - time.time() % 60
    if left < 3:
        time.sleep(left + 0.1)


class Limits:
    """What both stores have to do."""

    def test_say_what_is_left_until_nothing_is(self, anna: APIClient) -> None:
        within_one_window()
        for left in (2, 1, 0):
            answer = anna.get(ECHO)
            assert answer.status_code == 200
            assert answer["RateLimit-Policy"] == '"read";q=3;w=60'
            match = re.fullmatch(rf'"read";r={left};t=([0-9]+)', answer["RateLimit"])
            assert match, answer["RateLimit"]
            assert 1 <= int(match[1]) <= 60
        refused = anna.get(ECHO)
        problem_of(refused, 429, "rate_limited")
        assert refused["RateLimit"].startswith('"read";r=0;t=')
        assert 1 <= int(refused["Retry-After"]) <= 60

    def test_are_apart_for_members_and_policies(self, anna: APIClient, boris: APIClient) -> None:
        within_one_window()
        assert [anna.post(ECHO, {"name": "x"}).status_code for _ in range(3)] == [201, 201, 429]
        assert anna.get(ECHO)["RateLimit-Policy"].startswith('"read"')
        assert anna.head(ECHO)["RateLimit"].startswith('"read";r=1')
        assert boris.post(ECHO, {"name": "x"}).status_code == 201


class TestInMemory(Limits):
    @pytest.fixture(autouse=True)
    def _store(self, settings: Any) -> None:
        settings.REDIS_URL = ""
        settings.RATE_LIMIT_STORE = "memory://"
        limits._limiter.cache_clear()


@pytest.mark.needs_redis
class TestInRedis(Limits):
    pass


class TestStrangers:
    @pytest.fixture(autouse=True)
    def _open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.foundation.probe import EchoView

        monkeypatch.setattr(EchoView, "permission_classes", ())

    def statuses(self, client: APIClient, *addresses: str) -> list[int]:
        return [client.get(ECHO, REMOTE_ADDR=address).status_code for address in addresses]

    def test_are_counted_by_address(self, stranger: APIClient) -> None:
        within_one_window()
        assert self.statuses(stranger, *["192.0.2.1"] * 3, "192.0.2.2") == [200, 200, 429, 200]

    def test_have_one_quota_per_subscriber_network(self, stranger: APIClient) -> None:
        within_one_window()
        same = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2::3"]
        assert self.statuses(stranger, *same, "2001:db8:1:3::1") == [200, 200, 429, 200]

    def test_in_ipv6_clothes_are_themselves(self) -> None:
        assert limits._network_of("::ffff:192.0.2.1") == "192.0.2.1"
        assert limits._network_of("unix:") == "unix:"

    def test_behind_proxies_are_told_apart_only_by_our_proxies_word(
        self, stranger: APIClient, settings: Any
    ) -> None:
        within_one_window()
        settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
        forged = [f"198.51.100.{i}, 192.0.2.9" for i in range(3)]
        answers = [stranger.get(ECHO, headers={"X-Forwarded-For": chain}).status_code for chain in forged]
        assert answers == [200, 200, 429]


class TestSilentStore:
    """Nothing listens there: a limit protects the service, it must not be what stops it."""

    @pytest.fixture(autouse=True)
    def _store(self, settings: Any) -> None:
        settings.REDIS_URL = settings.RATE_LIMIT_STORE = "redis://127.0.0.1:9/0"
        limits._limiter.cache_clear()

    def test_lets_everyone_through_without_headers(self, anna: APIClient) -> None:
        answers = [anna.get(ECHO) for _ in range(6)]
        assert {answer.status_code for answer in answers} == {200}
        assert not any(answer.has_header("RateLimit") for answer in answers)

    def test_is_asked_again_only_after_a_pause(
        self, anna: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna.get(ECHO)
        assert limits.outage.lasts()
        with monkeypatch.context() as patch:
            patch.setattr(limits, "_limiter", lambda: pytest.fail("it was asked during the pause"))
            assert anna.get(ECHO).status_code == 200


class TestOutage:
    def test_lasts_for_its_pause(self, monkeypatch: pytest.MonkeyPatch) -> None:
        outage = outages.Outage()
        assert not outage.lasts()
        outage.begin()
        assert outage.lasts()
        later = time.monotonic() + outages.PAUSE_S
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert not outage.lasts()
