"""One POST to an address that staff typed: never into our own network, never longer than it may take.

The name is resolved once, every address it has must be public, and that very address is connected to, so
a name that answers otherwise the second time (DNS rebinding) changes nothing. Redirects are not followed,
proxies of the environment not used, the answer's body not read.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2
from django.conf import settings

from foundation import connections
from foundation.outgoing.errors import EndpointUrlRefused

SECONDS = 15.0
# Only the status line and the headers are read; nobody needs more for these.
ANSWER_BYTES = 64 * 1024
# Addresses that carry an IPv4 address of anybody's choice: NAT64, 6to4, Teredo.
_CARRIERS = tuple(
    ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class AddressRefused(Exception):
    """The name leads into a network that webhooks must not reach."""


def is_permitted(address: str) -> bool:
    """Whether webhooks may go to this IP address: public unicast, or of WEBHOOK_ALLOWED_NETWORKS."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if is_allowed_by_operator(ip):
        return True
    if any(ip.version == carrier.version and ip in carrier for carrier in _CARRIERS):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def is_allowed_by_operator(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it is in WEBHOOK_ALLOWED_NETWORKS, where plain http is allowed too."""
    return any(
        ip.version == network.version and ip in network for network in settings.WEBHOOK_ALLOWED_NETWORKS
    )


def check_url(url: str) -> None:
    """Raises EndpointUrlRefused for what can be seen without asking the network."""
    parts = urlsplit(url)
    try:
        port_is_odd = parts.port == 0
    except ValueError:
        port_is_odd = True
    if parts.scheme not in ("https", "http") or not parts.hostname or port_is_odd:
        raise EndpointUrlRefused("It should look like https://shop.example/webhooks.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise EndpointUrlRefused("No user name, password or #fragment in it.")
    if not url.isascii() or any(character.isspace() for character in url):
        raise EndpointUrlRefused("ASCII without blanks; write other letters percent-encoded.")
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOWED_NETWORKS:
        raise EndpointUrlRefused("Only https.")
    try:
        permitted = is_permitted(parts.hostname)
    except ValueError:
        return  # a name: who it is shows when it is called
    if not permitted:
        raise EndpointUrlRefused("This address is not a public one.")


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> int:
    """The status that the subscriber answered. Raises what the network raises, or AddressRefused.

    Call it outside any transaction: it may take SECONDS.
    """
    check_url(url)
    address_of = functools.partial(_permitted_address, plain=url.startswith("http:"))
    with (
        connections.limited_to(seconds=SECONDS, answer_bytes=ANSWER_BYTES),
        connections.connection_pool(_tls(), address_of=address_of) as pool,
        pool.stream("POST", url, headers=list(headers.items()), content=body) as response,
    ):
        return int(response.status)


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def _permitted_address(host: str, port: int, *, plain: bool) -> str:
    addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not addresses or not all(is_permitted(address) for address in addresses):
        raise AddressRefused
    if plain and not is_allowed_by_operator(ipaddress.ip_address(addresses[0].partition("%")[0])):
        raise AddressRefused
    return addresses[0]
