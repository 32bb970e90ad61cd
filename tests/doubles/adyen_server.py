"""An HTTP server that speaks Adyen's Transfers API (v4), for tests of the payout adapter.

It is as strict as the documentation says: an API key, the fields of a bank transfer, an IBAN whose check
digits fit, one answer per Idempotency-Key (error 704 for another body, or while the first request runs), and
callbacks signed with HmacSHA256. What it is asked for comes from the API's published description; nothing
here was recorded from Adyen.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from stdnum import iban as stdnum_iban

API_KEY = "test-api-key"
BALANCE_ACCOUNT = "BA00000000000000000000001"
HMAC_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
PATH = "/btl/v4/transfers"


@dataclass
class Double:
    """What the server knows, and how it shall misbehave next: a queue of names of ``FAULTS``."""

    transfers: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[bytes, int, dict[str, Any]]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def transfer_of(self, reference: str) -> dict[str, Any]:
        """The one transfer of this reference."""
        [found] = [t for t in self.transfers.values() if t["reference"] == reference]
        return found

    def book(self, reference: str, status: str, *, reason: str = "approved") -> None:
        """What the bank does to it."""
        transfer = self.transfer_of(reference)
        transfer["status"], transfer["reason"] = status, reason
        transfer["sequenceNumber"] += 1
        transfer["events"].append({"id": f"EVJN{transfer['sequenceNumber']}", "status": status})

    def webhook(self, reference: str) -> tuple[bytes, dict[str, str]]:
        """The callback about the transfer as it is now: raw body and headers."""
        body = json.dumps(
            {
                "data": self.transfer_of(reference),
                "environment": "test",
                "timestamp": datetime.now(UTC).isoformat(),
                "type": "balancePlatform.transfer.updated",
            }
        ).encode()
        return body, signed(body)


def signed(body: bytes, key: str = HMAC_KEY) -> dict[str, str]:
    """Adyen's headers of a callback."""
    digest = hmac.new(bytes.fromhex(key), body, hashlib.sha256).digest()
    return {"HmacSignature": base64.b64encode(digest).decode(), "Protocol": "HmacSHA256"}


FAULTS = {
    "internal_error": "answer 500 and do nothing",
    "internal_error_after": "do it, and answer 500",
    "hang": "do nothing and let the client wait",
    "hang_after": "do it, and let the client wait",
    "cut": "do it, and close the connection without an answer",
    "garbage": "do it, and answer what is no JSON",
    "array": "answer an error that is no object",
    "unauthorised": "answer 401",
    "in_progress": "say that the key is being worked on",
    "transient": "refuse for a moment only",
    "no_route": "refuse: the counterparty's bank cannot be reached",
}


class _Problem(Exception):
    def __init__(self, status: int, code: str, title: str, *, is_transient: bool = False) -> None:
        self.status, self.code, self.title, self.is_transient = status, code, title, is_transient
        super().__init__(title)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # named by the base class
        """Quiet."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        try:
            self._require_key()
            if self.path != PATH:
                raise _Problem(404, "00_404", "Not found")
            self._post(body)
        except _Problem as problem:
            self._problem(problem)

    def do_GET(self) -> None:
        double = self.server.double
        try:
            self._require_key()
            fault = double.faults.popleft() if double.faults else ""
            if fault == "internal_error":
                raise _Problem(500, "00_500", "Internal error")
            transfer = double.transfers.get(self.path.removeprefix(f"{PATH}/"))
            if transfer is None:
                raise _Problem(404, "00_404", "Not found")
            self._answer(200, transfer)
        except _Problem as problem:
            self._problem(problem)

    def _post(self, body: bytes) -> None:
        double = self.server.double
        fault = double.faults.popleft() if double.faults else ""
        double.requests.append({"headers": dict(self.headers.items()), "body": body})
        if fault == "unauthorised":
            raise _Problem(401, "00_401", "Unauthorized")
        if fault == "internal_error":
            raise _Problem(500, "00_500", "Internal error")
        if fault == "in_progress":
            raise _Problem(422, "704", "request already processed or in progress")
        if fault == "transient":
            raise _Problem(422, "30_900", "Try again", is_transient=True)
        if fault == "array":
            self._answer(500, ["broken"])
            return
        if fault == "hang":
            time.sleep(self.server.hang_s)
            return
        status, answer = self._once(body, refuses=fault == "no_route")
        if fault == "internal_error_after":
            raise _Problem(500, "00_500", "Internal error")
        if fault == "hang_after":
            time.sleep(self.server.hang_s)
        elif fault == "cut":
            self.close_connection = True
        elif fault == "garbage":
            self._send(status, b"<html>", {})
        else:
            self._answer(status, answer)

    def _once(self, body: bytes, *, refuses: bool) -> tuple[int, Any]:
        double = self.server.double
        key = self.headers.get("Idempotency-Key")
        if not key or len(key) > 64:
            raise _Problem(400, "00_400", "Idempotency-Key")
        with double.lock:
            known = double.answers.get(key)
            if known is not None:
                if known[0] != body:
                    raise _Problem(422, "704", "request already processed or in progress")
                return known[1], known[2]
            try:
                status, answer = 200, self._transfer(json.loads(body), refuses=refuses)
            except _Problem as problem:
                status, answer = problem.status, _problem_body(problem)
            double.answers[key] = (body, status, answer)
            return status, answer

    def _transfer(self, order: dict[str, Any], *, refuses: bool) -> dict[str, Any]:
        account = order["counterparty"]["bankAccount"]
        number = account["accountIdentification"]["iban"]
        if not isinstance(order["amount"]["value"], int) or order["amount"]["value"] <= 0:
            raise _Problem(422, "30_011", "Invalid amount")
        if order["balanceAccountId"] != BALANCE_ACCOUNT or order["category"] != "bank":
            raise _Problem(422, "30_112", "Balance account not found")
        if not stdnum_iban.is_valid(number):
            raise _Problem(422, "30_081", "Invalid IBAN")
        if not account["accountHolder"]["fullName"].isascii():
            raise _Problem(422, "30_082", "Unsupported characters")
        if refuses:
            raise _Problem(422, "30_016", "Counterparty bank cannot be reached")
        identifier = f"48{len(self.server.double.transfers):014d}"
        transfer = {
            "id": identifier,
            "reference": order["reference"],
            "amount": order["amount"],
            "balanceAccount": {"id": order["balanceAccountId"]},
            "category": "bank",
            "type": "bankTransfer",
            "direction": "outgoing",
            "status": "authorised",
            "reason": "approved",
            "sequenceNumber": 1,
            "events": [{"id": "EVJN1", "status": "authorised"}],
        }
        self.server.double.transfers[identifier] = transfer
        return transfer

    def _require_key(self) -> None:
        if self.headers.get("x-api-key") != API_KEY:
            raise _Problem(401, "00_401", "Unauthorized")

    def _problem(self, problem: _Problem) -> None:
        headers = {"transient-error": "true"} if problem.is_transient else {}
        self._send(problem.status, json.dumps(_problem_body(problem)).encode(), headers)

    def _answer(self, status: int, content: Any) -> None:
        self._send(status, json.dumps(content).encode(), {})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # the client has given up


def _problem_body(problem: _Problem) -> dict[str, Any]:
    return {
        "type": "https://docs.adyen.com/errors/validation",
        "errorCode": problem.code,
        "title": problem.title,
        "status": problem.status,
        "requestId": "1W1UI15PLVGC9V8O",
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, double: Double, hang_s: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double, self.hang_s = double, hang_s


class AdyenServer:
    """A context manager: ``url`` and ``double`` for its length."""

    def __init__(self, *, hang_s: float = 1.0) -> None:
        self.double = Double()
        self._server = _Server(self.double, hang_s)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """As the library's base address: before /transfers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/btl/v4"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
