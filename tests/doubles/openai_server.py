"""An HTTP server that speaks the chat.completions format, for tests of the LLM provider.

It reads requests as a strict endpoint does: it wants a key and a known model, decodes every image, holds
JSON schemas to the strict subset, and answers 400 in the usual words to what it does not know. What the
model says, and every way in which a server can fail, is played from a script.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from PIL import Image

KEY = "test-key"
MODEL = "double-vision-1"
# OpenAI's prompt cache works on prefixes of 1,024 tokens and more, in steps of 128.
CACHE_FROM, CACHE_STEP = 1024, 128
# Keywords that its strict mode takes (guide to structured outputs).
STRICT_KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref",
    "$defs", "description", "minItems", "maxItems", "minimum", "maximum", "pattern", "format",
}  # fmt: skip


class Rejected(Exception):
    """A request that a strict endpoint answers with 400."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


@dataclass(frozen=True)
class Seen:
    """A request as the server understood it."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    texts: tuple[str, ...]
    images: tuple[Image.Image, ...] = field(repr=False)
    tokens_in: int
    tokens_cached: int

    @property
    def mode(self) -> str:
        """The kind of response format asked for."""
        response_format = self.body.get("response_format") or {}
        return str(response_format.get("type", "text"))


class Reply:
    """What a script can do with one request; methods write to the socket."""

    def __init__(self, handler: BaseHTTPRequestHandler, seen: Seen) -> None:
        self.handler = handler
        self.seen = seen

    def send(
        self, status: int, body: bytes, *, headers: Mapping[str, str] | None = None, claims: int | None = None
    ) -> None:
        """Answer; ``claims`` is a Content-Length that need not be true."""
        self.handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.send_header("Content-Length", str(len(body) if claims is None else claims))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def send_json(self, status: int, body: object, *, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), headers=headers)

    def error(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """An error in the usual words."""
        body = {"error": {"message": message, "type": "error", "param": param, "code": code}}
        self.send_json(status, body, headers=headers)


Script = Callable[[Reply], None]


def completion(
    content: object,
    *,
    seen: Seen,
    finish_reason: str = "stop",
    refusal: str | None = None,
    usage: bool = True,
) -> dict[str, Any]:
    """A chat.completion; content that is no string is dumped as JSON."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    answered: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL + "-2026",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": text, "refusal": refusal},
            }
        ],
    }
    if usage:
        tokens_out = max(1, len(text or "") // 4)
        answered["usage"] = {
            "prompt_tokens": seen.tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": seen.tokens_in + tokens_out,
            "prompt_tokens_details": {"cached_tokens": seen.tokens_cached},
        }
    return answered


def says(content: object, **options: Any) -> Script:
    """The model answers."""
    return lambda reply: reply.send_json(200, completion(content, seen=reply.seen, **options))


def fails(status: int, message: str = "failed", **options: Any) -> Script:
    """The server answers with an error."""
    return lambda reply: reply.error(status, message, **options)


def sends(body: bytes, *, status: int = 200, **options: Any) -> Script:
    """The server answers with these bytes."""
    return lambda reply: reply.send(status, body, **options)


def hangs(seconds: float) -> Script:
    """Nothing comes for so long."""
    return lambda reply: time.sleep(seconds)


def drips(content: object, *, every_s: float, what: str) -> Script:
    """Headers or body (``what``) come byte by byte, so that no single read takes long."""

    def script(reply: Reply) -> None:
        body = json.dumps(completion(content, seen=reply.seen)).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        whole, at_once = (head + body, 15) if what == "headers" else (head + body, len(head))
        reply.handler.wfile.write(whole[:at_once])
        for byte in whole[at_once:]:
            time.sleep(every_s)
            reply.handler.wfile.write(bytes([byte]))

    return script


def breaks_off(content: object) -> Script:
    """The connection closes in the middle of the body."""

    def script(reply: Reply) -> None:
        body = json.dumps(completion(content, seen=reply.seen)).encode()
        reply.send(200, body[: len(body) // 2], claims=len(body))
        reply.handler.close_connection = True

    return script


class OpenAiServer:
    """The server, on an ephemeral port. ``play`` sets what it does next; after that, ``default``."""

    def __init__(
        self,
        *,
        default: Script,
        modes: Sequence[str] = ("json_schema", "json_object", "text"),
        knows_max_completion_tokens: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.default = default
        self.modes = tuple(modes)
        self.knows_max_completion_tokens = knows_max_completion_tokens
        self.seen: list[Seen] = []
        self.rejected: list[str] = []
        self._script: deque[Script] = deque()
        self._prefixes: list[str] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.double = self
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}/v1"

    def play(self, *scripts: Script) -> None:
        self._script.extend(scripts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler, raw: bytes) -> None:
        if handler.headers.get("Authorization") != f"Bearer {KEY}":
            Reply(handler, _NOTHING).error(401, "Incorrect API key provided.", code="invalid_api_key")
            return
        try:
            seen = self._understood(raw, dict(handler.headers.items()))
        except Rejected as rejected:
            self.rejected.append(rejected.message)
            Reply(handler, _NOTHING).error(400, rejected.message, param=rejected.param)
            return
        with self._lock:
            self.seen.append(seen)
            script = self._script.popleft() if self._script else self.default
        script(Reply(handler, seen))

    def _understood(self, raw: bytes, headers: Mapping[str, str]) -> Seen:
        body = json.loads(raw)
        if body.get("model") != MODEL:
            raise Rejected(f"The model {body.get('model')!r} does not exist", param="model")
        self._check_format(body)
        if "max_completion_tokens" in body and not self.knows_max_completion_tokens:
            raise Rejected("Unrecognized request argument supplied: max_completion_tokens")
        if not isinstance(body.get("max_completion_tokens", body.get("max_tokens")), int):
            raise Rejected("no limit of tokens", param="max_completion_tokens")
        texts: list[str] = []
        images: list[Image.Image] = []
        for message in body["messages"]:
            content = message["content"]
            parts: list[Any] = [{"type": "text", "text": content}] if isinstance(content, str) else content
            for part in parts:
                if part["type"] == "text":
                    if images:
                        raise Rejected("text behind an image", param="messages")
                    texts.append(part["text"])
                else:
                    images.append(_decoded(part["image_url"]["url"]))
        whole = "\n".join(texts)
        tokens = len(whole.encode()) // 4
        with self._lock:
            cached = max((_common(whole, known) for known in self._prefixes), default=0) // 4
            self._prefixes.append(whole)
        cached = cached // CACHE_STEP * CACHE_STEP if cached >= CACHE_FROM else 0
        tokens += sum(_tokens_of(image) for image in images)
        return Seen(body, headers, tuple(texts), tuple(images), tokens, min(cached, tokens))

    def _check_format(self, body: Mapping[str, Any]) -> None:
        response_format: Any = body.get("response_format") or {"type": "text"}
        kind = response_format["type"]
        if kind not in self.modes:
            message = (
                f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this model."
            )
            raise Rejected(message, param="response_format")
        if kind == "json_schema":
            schema = response_format["json_schema"]
            if schema["strict"] is not True or not schema["name"]:
                raise Rejected("strict and name are required", param="response_format")
            _check_strict(schema["schema"])
        if kind == "json_object" and "json" not in json.dumps(body["messages"][0]).lower():
            raise Rejected("'messages' must contain the word 'json'", param="messages")


def _check_strict(node: object) -> None:
    if isinstance(node, list):
        for item in node:
            _check_strict(item)
    if not isinstance(node, dict):
        return
    unknown = set(node) - STRICT_KEYWORDS
    if unknown:
        raise Rejected(
            f"Invalid schema for response_format: {unknown} not permitted", param="response_format"
        )
    if "$ref" in node and len(node) > 1:
        raise Rejected("Invalid schema for response_format: $ref cannot have keywords")
    if node.get("type") == "object" and (
        node.get("additionalProperties") is not False
        or sorted(node.get("required", [])) != sorted(node["properties"])
    ):
        raise Rejected("Invalid schema for response_format: every property is required, no other allowed")
    for key, value in node.items():
        if key in ("properties", "$defs"):
            for child in value.values():
                _check_strict(child)
        elif key in ("items", "anyOf"):
            _check_strict(value)


def _decoded(url: str) -> Image.Image:
    head, _, data = url.partition(",")
    if head != "data:image/jpeg;base64":
        raise Rejected(f"unsupported image {head[:40]!r}", param="messages")
    try:
        image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)), formats=("JPEG",))
        image.load()
    except (binascii.Error, OSError) as error:
        raise Rejected("the image cannot be decoded", param="messages") from error
    if max(image.size) > 1024:
        raise Rejected(f"the image is {image.size}", param="messages")
    return image


def _tokens_of(image: Image.Image) -> int:
    """As OpenAI counts for high detail: 85, and 170 for each tile of 512 pixels."""
    return 85 + 170 * -(-image.width // 512) * -(-image.height // 512)


def _common(text: str, other: str) -> int:
    shorter = min(len(text), len(other))
    return next((at for at in range(shorter) if text[at] != other[at]), shorter)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    double: OpenAiServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/chat/completions":
            Reply(self, _NOTHING).error(404, f"no such path {self.path}")
            return
        self.server.double.answer(self, raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


_NOTHING = Seen({}, {}, (), (), 0, 0)
