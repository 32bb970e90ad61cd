"""An HTTP server that speaks the part of Stripe's API that the payment adapter uses, for its tests.

PaymentIntents (create, confirm, capture, cancel, retrieve, search), refunds and the events about them and
about disputes. It is as strict as the documentation says: a secret key, form-encoded bodies, only known
parameters, one answer per Idempotency-Key (marked Idempotent-Replayed when repeated, refused for other
parameters), steps by status, declines as 402 with the intent inside. See https://docs.stripe.com/api; nothing
here was recorded from Stripe.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from stripe import WebhookSignature

API_KEY = "sk_test_double"
SECRET = "whsec_double"
DECLINES = {
    "pm_card_declined": ("card_declined", "generic_decline"),
    "pm_card_insufficient_funds": ("card_declined", "insufficient_funds"),
}
CARDS = {"pm_card_ok", "pm_card_3ds", *DECLINES}
KNOWN = {
    "/v1/payment_intents": {
        *("amount", "currency", "capture_method", "payment_method", "payment_method_types[0]"),
        "metadata[reference]",
    },
    "confirm": {"return_url"},
    "capture": {"amount_to_capture"},
    "cancel": set[str](),
    "/v1/refunds": {"payment_intent", "amount", "metadata[reference]"},
}
FAULTS = {
    "internal_error": "answer 500 and do nothing",
    "internal_error_after": "do it, and answer 500",
    "hang": "do nothing and let the client wait",
    "hang_after": "do it, and let the client wait",
    "cut": "do it, and close the connection without an answer",
    "garbage": "do it, and answer what is no JSON",
    "array": "do it, and answer a JSON array",
    "unauthorised": "answer 401",
    "busy": "answer 409: the key is in use",
    "too_many": "answer 429",
}

REFUSALS = {
    "internal_error": (500, "api_error"),
    "busy": (409, "idempotency_error"),
    "too_many": (429, "rate_limit_error"),
}


class _Problem(Exception):
    def __init__(self, status: int, kind: str, code: str, **more: Any) -> None:
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": f"Sorry: {code}", **more}}
        super().__init__(code)


def _invalid(code: str, status: int = 400, **more: Any) -> _Problem:
    return _Problem(status, "invalid_request_error", code, **more)


@dataclass
class Double:
    """What the server knows, and how it shall misbehave next: a queue of names of ``FAULTS``; "" is none."""

    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, Any]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    search_is_behind: bool = False
    charged: int = 0
    events: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def intent_of(self, reference: str) -> dict[str, Any]:
        """The one intent of this reference."""
        [found] = [it for it in self.intents.values() if it["metadata"].get("reference") == reference]
        return found

    def refund_of(self, reference: str) -> dict[str, Any]:
        """The one refund of this reference."""
        [found] = [it for it in self.refunds.values() if it["metadata"].get("reference") == reference]
        return found

    def authenticate(self, reference: str, *, passes: bool) -> None:
        """How the buyer's 3-D Secure step ends."""
        intent = self.intent_of(reference)
        intent["next_action"] = None
        if passes:
            self.reserve(intent)
        else:
            self.decline(intent, "payment_intent_authentication_failure", None)

    def reserve(self, intent: dict[str, Any]) -> None:
        """The card's bank sets the amount aside."""
        intent["status"], intent["amount_capturable"] = "requires_capture", intent["amount"]
        intent["latest_charge"] = f"ch_{intent['id'][3:]}"

    def decline(self, intent: dict[str, Any], code: str, decline_code: str | None) -> None:
        """The card's bank says no."""
        intent["status"] = "requires_payment_method"
        intent["last_payment_error"] = {"type": "card_error", "code": code, "decline_code": decline_code}

    def expire(self, reference: str) -> None:
        """Seven days have passed."""
        intent = self.intent_of(reference)
        intent.update(status="canceled", cancellation_reason="automatic", amount_capturable=0)

    def capture(self, reference: str, minor: int | None = None) -> None:
        """By somebody in Stripe's dashboard."""
        intent = self.intent_of(reference)
        taken = intent["amount_capturable"] if minor is None else minor
        self.charged += 1
        intent.update(status="succeeded", amount_received=taken, amount_capturable=0)

    def dispute(self, reference: str, status: str, *, fee: int = 1500) -> dict[str, Any]:
        """A chargeback of the whole amount, as it is described in events."""
        intent = self.intent_of(reference)
        money = {"currency": intent["currency"], "object": "balance_transaction"}
        moves = [{"id": "txn_1", "amount": -intent["amount"], "fee": fee, **money}]
        if status == "won":
            moves.append({"id": "txn_2", "amount": intent["amount"], "fee": 0, **money})
        return {
            "id": f"du_{intent['id'][3:]}",
            "object": "dispute",
            "amount": intent["amount"],
            "balance_transactions": moves,
            "charge": intent["latest_charge"],
            "currency": intent["currency"],
            "metadata": {},
            "payment_intent": intent["id"],
            "reason": "fraudulent",
            "status": status,
        }

    def event(self, kind: str, subject: dict[str, Any], *, at: float) -> tuple[bytes, dict[str, str]]:
        """A signed event about an object as it is now: raw body and headers."""
        self.events += 1
        content = {
            "id": f"evt_{self.events}",
            "object": "event",
            "created": int(at),
            "type": kind,
            "data": {"object": subject},
        }
        body = json.dumps(content).encode()
        return body, signed(body, at=at)


def signed(body: bytes, *, at: float, secret: str = SECRET) -> dict[str, str]:
    """Stripe's header of a callback."""
    header = WebhookSignature.generate_signature_header(body.decode(), secret, int(at))
    return {"Stripe-Signature": header}


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # named by the base class
        """Quiet."""

    def do_GET(self) -> None:
        self._serve("")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def _serve(self, body: str) -> None:
        double = self.server.double
        address = urlsplit(self.path)
        params = dict(parse_qsl(body or address.query, keep_blank_values=True))
        double.requests.append((f"{self.command} {address.path}", dict(self.headers.items()), params))
        fault = double.faults.popleft() if double.faults else ""
        if self.headers.get("Authorization") != f"Bearer {API_KEY}" or fault == "unauthorised":
            self._send(401, _Problem(401, "invalid_request_error", "api_key_expired").body)
            return
        if fault in REFUSALS:
            status, kind = REFUSALS[fault]
            self._send(status, _Problem(status, kind, fault).body)
            return
        if fault == "hang":
            time.sleep(self.server.hang_s)
            return
        with double.lock:
            status, content, is_replay = self._once(address.path, params, body)
        if fault == "hang_after":
            time.sleep(self.server.hang_s)
        elif fault == "cut":
            self.close_connection = True
        elif fault == "internal_error_after":
            self._send(500, _Problem(500, "api_error", fault).body)
        elif fault in ("garbage", "array"):
            self._send(status, "<html>" if fault == "garbage" else ["broken"])
        else:
            self._send(status, content, is_replay=is_replay)

    def _once(self, path: str, params: dict[str, str], body: str) -> tuple[int, Any, bool]:
        key = self.headers.get("Idempotency-Key") if self.command == "POST" else None
        answers = self.server.double.answers
        if key in answers:
            sent, status, content = answers[key]
            if sent != f"{path} {body}":
                return 400, _Problem(400, "idempotency_error", "other_parameters").body, False
            return status, json.loads(content), True
        try:
            status, content = 200, self._route(path, params)
        except _Problem as problem:
            status, content = problem.status, problem.body
        if key:
            answers[key] = (f"{path} {body}", status, json.dumps(content))
        return status, content, False

    def _route(self, path: str, params: dict[str, str]) -> Any:
        double = self.server.double
        room, _, rest = path.removeprefix("/v1/").partition("/")
        known = KNOWN.get(path) or KNOWN.get(rest.partition("/")[2], set())
        if self.command == "POST" and set(params) - known:
            raise _invalid("parameter_unknown", param=",".join(params))
        if path == "/v1/payment_intents/search":
            wanted = params["query"].removeprefix("metadata['reference']:'").removesuffix("'")
            hits = [it for it in double.intents.values() if it["metadata"]["reference"] == wanted]
            return {"object": "search_result", "data": [] if double.search_is_behind else hits}
        if path == "/v1/refunds" and self.command == "GET":
            hits = [it for it in double.refunds.values() if it["payment_intent"] == params["payment_intent"]]
            return {"object": "list", "data": hits, "has_more": False}
        if path == "/v1/refunds":
            return self._refund(params)
        if path == "/v1/payment_intents":
            return self._create(params)
        intent_id, _, verb = rest.partition("/")
        if room != "payment_intents" or intent_id not in double.intents:
            raise _invalid("resource_missing", 404)
        intent = double.intents[intent_id]
        if verb:
            getattr(self, f"_{verb}")(intent, params)
        return intent

    def _create(self, params: dict[str, str]) -> dict[str, Any]:
        if params["payment_method"] not in CARDS:
            raise _invalid("resource_missing", param="payment_method")
        if int(params["amount"]) <= 0:
            raise _invalid("parameter_invalid_integer", param="amount")
        if params["capture_method"] != "manual" or params["payment_method_types[0]"] != "card":
            raise _invalid("parameter_invalid")
        intent_id = f"pi_{len(self.server.double.intents) + 1}"
        intent = {
            "id": intent_id,
            "object": "payment_intent",
            "amount": int(params["amount"]),
            "amount_capturable": 0,
            "amount_received": 0,
            "cancellation_reason": None,
            "capture_method": "manual",
            "currency": params["currency"],
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": {"reference": params["metadata[reference]"]},
            "next_action": None,
            "payment_method": params["payment_method"],
            "status": "requires_confirmation",
        }
        self.server.double.intents[intent_id] = intent
        return intent

    def _confirm(self, intent: dict[str, Any], params: dict[str, str]) -> None:
        if intent["status"] != "requires_confirmation":
            raise _invalid("payment_intent_unexpected_state", payment_intent=intent)
        method = intent["payment_method"]
        if method in DECLINES:
            code, decline_code = DECLINES[method]
            self.server.double.decline(intent, code, decline_code)
            raise _Problem(402, "card_error", code, decline_code=decline_code, payment_intent=intent)
        if method == "pm_card_3ds":
            url = f"https://hooks.stripe.example/redirect/{intent['id']}"
            intent["status"] = "requires_action"
            action = {"url": url, "return_url": params.get("return_url")}
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": action}
        else:
            self.server.double.reserve(intent)

    def _capture(self, intent: dict[str, Any], params: dict[str, str]) -> None:
        minor = int(params["amount_to_capture"])
        if intent["status"] != "requires_capture":
            raise _invalid("payment_intent_unexpected_state", payment_intent=intent)
        if minor > intent["amount_capturable"]:
            raise _invalid("amount_too_large", payment_intent=intent)
        self.server.double.capture(intent["metadata"]["reference"], minor)

    def _cancel(self, intent: dict[str, Any], params: dict[str, str]) -> None:
        if intent["status"] in ("succeeded", "canceled"):
            raise _invalid("payment_intent_unexpected_state", payment_intent=intent)
        intent.update(status="canceled", cancellation_reason=None, amount_capturable=0, next_action=None)

    def _refund(self, params: dict[str, str]) -> dict[str, Any]:
        double = self.server.double
        intent = double.intents.get(params["payment_intent"])
        if intent is None or intent["status"] != "succeeded":
            raise _invalid("charge_not_refundable")
        minor = int(params["amount"])
        mine = [it for it in double.refunds.values() if it["payment_intent"] == intent["id"]]
        if sum(it["amount"] for it in mine) + minor > intent["amount_received"]:
            raise _invalid("charge_already_refunded")
        refund = {
            "id": f"re_{len(double.refunds) + 1}",
            "object": "refund",
            "amount": minor,
            "currency": intent["currency"],
            "failure_reason": None,
            "metadata": {"reference": params["metadata[reference]"]},
            "payment_intent": intent["id"],
            "status": "succeeded",
        }
        double.refunds[refund["id"]] = refund
        return refund

    def _send(self, status: int, content: Any, *, is_replay: bool = False) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        try:
            self.send_response(status)
            if is_replay:
                self.send_header("Idempotent-Replayed", "true")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the client has given up


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, double: Double, hang_s: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double, self.hang_s = double, hang_s


class StripeServer:
    """A context manager: ``url`` and ``double`` for its length."""

    def __init__(self, *, hang_s: float = 1.0) -> None:
        self.double = Double()
        self._server = _Server(self.double, hang_s)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """In place of https://api.stripe.com."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
