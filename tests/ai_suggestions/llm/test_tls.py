"""Over TLS: the same limits, and only with a server whose certificate is known."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ai_suggestions.contract import Outcome
from ai_suggestions.llm.provider import LlmOptions
from tests.ai_suggestions.llm.asking import SNEAKERS, a_request
from tests.ai_suggestions.llm.conftest import AskerMaker
from tests.doubles.openai_server import OpenAiServer, drips, says


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[OpenAiServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with OpenAiServer(default=says(SNEAKERS), tls=context) as running:
        yield running


class TestTls:
    def test_asks_a_server_whose_certificate_is_known(
        self,
        secure: OpenAiServer,
        certificate: Path,
        asker_of: AskerMaker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert asker_of(secure.url).ask(a_request()).outcome is Outcome.OK

    def test_sends_nothing_to_a_stranger(self, secure: OpenAiServer, asker_of: AskerMaker) -> None:
        assert asker_of(secure.url).ask(a_request()).error_code == "llm_unreachable"
        assert not secure.seen

    def test_keeps_its_time(
        self,
        secure: OpenAiServer,
        certificate: Path,
        asker_of: AskerMaker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        secure.play(drips(SNEAKERS, every_s=0.05, what="body"))
        asker = asker_of(secure.url, options=LlmOptions(timeout_s=0.5))
        began = time.monotonic()
        assert asker.ask(a_request()).error_code == "llm_timed_out"
        assert time.monotonic() - began < 1.5
