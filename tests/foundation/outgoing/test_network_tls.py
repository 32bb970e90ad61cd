"""Over TLS: only to a subscriber whose certificate is known and names it."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from foundation.outgoing import network
from tests.foundation.outgoing.subscriber import subscriber

NAME = "shop.example"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of shop.example, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name of .example is this machine."""
    real = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".example") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


class TestTls:
    def test_asks_for_a_known_certificate_of_that_name(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with subscriber(tls=context) as shop:

            def post(name: str) -> int:
                return network.post(shop.url.replace("127.0.0.1", name), body=b"{}", headers={})

            with pytest.raises(httpcore2.ConnectError, match="self-signed"):
                post(NAME)
            trusting = ssl.create_default_context(cafile=str(certificate))
            monkeypatch.setattr(network, "_tls", lambda: trusting)
            assert post(NAME) == 204
            for other in ("other.example", "127.0.0.1"):
                with pytest.raises(httpcore2.ConnectError, match="not valid for"):
                    post(other)
        assert [request.headers["host"].partition(":")[0] for request in shop.received] == [NAME]
