"""Where webhooks may go, and how long that may take."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import httpcore2
import pytest
from pytest_django import Settings

from config.env import ConfigurationError, networks
from foundation.connections import AnswerTooLarge
from foundation.outgoing import network
from foundation.outgoing.errors import EndpointUrlRefused
from foundation.outgoing.network import AddressRefused, check_url, is_permitted, post
from tests.foundation.outgoing.subscriber import Subscriber

INSIDE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
    *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::"),
]


@pytest.fixture
def strict(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []


@pytest.mark.usefixtures("strict")
class TestAddress:
    @pytest.mark.parametrize("address", INSIDE)
    def test_of_our_own_network_is_refused(self, address: str) -> None:
        assert not is_permitted(address)

    @pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"])
    def test_of_the_public_network_is_permitted(self, address: str) -> None:
        assert is_permitted(address)

    @pytest.mark.parametrize(
        "url",
        [
            *("", "shop.example", "ftp://shop.example/", "https://", "https:///path", "http://shop.example/"),
            *("https://user@shop.example/", "https://u:p@shop.example/", "https://shop.example/#top"),
            *("https://shop.example:99999/", "https://shop.example:0/", "https://shop.example/a b"),
            *(
                "https://127.0.0.1/",
                "https://[::1]/",
                "https://169.254.169.254/latest",
                "https://bücher.example/",
            ),
            "https://[fe80::1%25eth0]/",
        ],
    )
    def test_that_cannot_be_a_subscriber_s_is_refused_at_once(self, url: str) -> None:
        with pytest.raises(EndpointUrlRefused) as raised:
            check_url(url)
        assert raised.value.code == "endpoint_url_refused"

    def test_of_a_subscriber_is_taken(self) -> None:
        check_url("https://shop.example:8443/webhooks?tenant=1")


class TestPost:
    def test_reaches_a_subscriber(self, shop: Subscriber) -> None:
        shop.answers = [202]
        assert post(shop.url, body=b"{}", headers={"webhook-id": "1"}) == 202
        assert (shop.received[0].path, shop.received[0].body) == ("/hooks", b"{}")

    def test_follows_no_redirect(self, shop: Subscriber) -> None:
        shop.answers, shop.location = [302], shop.url.replace("/hooks", "/elsewhere")
        assert post(shop.url, body=b"{}", headers={}) == 302
        assert len(shop.received) == 1

    def test_uses_no_proxy_of_the_environment(
        self, shop: Subscriber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        assert post(shop.url, body=b"{}", headers={}) == 204

    @pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], []])
    def test_refuses_a_name_that_leads_inside(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings, shop: Subscriber, addresses: list[str]
    ) -> None:
        settings.WEBHOOK_ALLOWED_NETWORKS = []
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(AddressRefused):
            post("https://rebinding.example/", body=b"{}", headers={})

    def test_connects_to_the_address_that_was_looked_at(
        self, monkeypatch: pytest.MonkeyPatch, shop: Subscriber
    ) -> None:
        """The second answer of a rebinding name is never asked for."""
        asked: list[Any] = []
        real = socket.getaddrinfo

        def resolve(host: Any, *args: Any, **options: Any) -> Any:
            if host != "shop.example":
                return real(host, *args, **options)
            asked.append(host)
            return [
                (
                    socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", 0),
                )
            ]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        url = shop.url.replace("127.0.0.1", "shop.example")
        assert post(url, body=b"{}", headers={}) == 204
        assert len(asked) == 1
        assert shop.received[0].headers["host"].startswith("shop.example")

    def test_goes_by_plain_http_into_allowed_networks_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(AddressRefused):
            post("http://shop.example/", body=b"{}", headers={})

    def test_of_a_subscriber_that_drips_ends_in_time(
        self, shop: Subscriber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(network, "SECONDS", 0.5)
        shop.drip_s = 0.1
        started = time.monotonic()
        with pytest.raises(httpcore2.ReadTimeout):
            post(shop.url, body=b"{}", headers={})
        assert time.monotonic() - started < 3

    def test_of_a_subscriber_that_talks_without_end_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(network, "ANSWER_BYTES", 1000)
        listener = socket.create_server(("127.0.0.1", 0))

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 400)
                connection.recv(1)  # until it hangs up

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with listener, pytest.raises(AnswerTooLarge):
            post(f"http://127.0.0.1:{listener.getsockname()[1]}/", body=b"{}", headers={})
        thread.join(5)


class TestAllowedNetworks:
    def test_are_read_and_a_wrong_one_is_named(self) -> None:
        assert [str(found) for found in networks("N", ["10.1.2.0/24", " fd00::/8"])] == [
            "10.1.2.0/24",
            "fd00::/8",
        ]
        with pytest.raises(ConfigurationError, match=r"^N holds '10\.1\.2\.3/24'"):
            networks("N", ["10.1.2.3/24"])
