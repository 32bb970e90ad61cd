"""One HTTP call to an OpenAI-compatible endpoint, within a total time and size, through the openai SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletionMessageParam
from openai.types.shared_params import ResponseFormatJSONObject, ResponseFormatJSONSchema

from ai_suggestions.contract import Json
from ai_suggestions.llm.completion import Completion, completion_in
from ai_suggestions.llm.modes import Mode
from ai_suggestions.llm.outcomes import CallFailed, Problem
from ai_suggestions.llm.state import SharedState
from foundation.connections import AnswerTooLarge, EncodedAnswer, LimitedTransport, limited_to

# How servers word that they do not know the response format they were given.
_ABOUT_THE_MODE = re.compile(
    r"response_format|json_schema|json_object|json.?mode|structured.?output|guided|grammar", re.IGNORECASE
)
_ABOUT_THE_LENGTH = re.compile(r"max_completion_tokens", re.IGNORECASE)
_REMEMBER_S = 24 * 3600.0
_LONGEST_COMPLAINT = 4000


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """Where and how to ask."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    answer_bytes: int = 1_000_000  # of the whole HTTP answer; a good one has a few thousand
    answer_tokens: int = 2_000

    @property
    def name(self) -> str:
        """Stable and safe to log: host, port and model."""
        return f"{self.host}/{self.model}"

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]


class Endpoint:
    """An endpoint that answers chat.completions. Threads may share it."""

    def __init__(self, config: EndpointConfig, *, state: SharedState) -> None:
        self.config = config
        self._state = state
        self._old_length_key = f"llm:max_tokens:{config.name}"
        self._http = httpx2.Client(transport=LimitedTransport(), follow_redirects=False)
        self._client = openai.OpenAI(
            base_url=config.base_url,
            # Servers on the same machine want no key, but the SDK insists on one.
            api_key=config.api_key or "none",
            max_retries=0,
            http_client=self._http,
            default_headers={"Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def call(
        self,
        messages: Sequence[ChatCompletionMessageParam],
        *,
        mode: Mode,
        schema: Mapping[str, Json],
        seconds: float,
        now: datetime,
    ) -> Completion:
        """Ask once, within ``seconds`` in total. ``now`` is for a Retry-After that names an instant.

        Raises:
            CallFailed: anything but a completion.
        """
        try:
            with limited_to(seconds=seconds, answer_bytes=self.config.answer_bytes):
                body = self._post(messages, mode=mode, schema=schema, seconds=seconds)
        except openai.APIStatusError as error:
            raise self._of_status(error, now=now) from error
        except openai.APITimeoutError as error:
            # Before it was connected, nothing can have been billed.
            connecting = isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
            raise CallFailed(Problem.UNREACHABLE if connecting else Problem.TIMED_OUT) from error
        except openai.APIConnectionError as error:
            connecting = isinstance(error.__cause__, httpx2.ConnectError | httpx2.UnsupportedProtocol)
            raise CallFailed(Problem.UNREACHABLE if connecting else Problem.CONNECTION_LOST) from error
        except AnswerTooLarge as error:
            raise CallFailed(Problem.ANSWER_TOO_LARGE) from error
        except EncodedAnswer as error:
            raise CallFailed(Problem.NOT_A_COMPLETION) from error
        return completion_in(body)

    def _post(
        self,
        messages: Sequence[ChatCompletionMessageParam],
        *,
        mode: Mode,
        schema: Mapping[str, Json],
        seconds: float,
    ) -> bytes:
        response_format: ResponseFormatJSONObject | ResponseFormatJSONSchema | openai.Omit = openai.omit
        if mode is Mode.JSON_SCHEMA:
            response_format = {
                "type": "json_schema",
                "json_schema": {"name": "suggestions", "strict": True, "schema": dict(schema)},
            }
        elif mode is Mode.JSON_OBJECT:
            response_format = {"type": "json_object"}
        create = self._client.chat.completions.with_raw_response.create

        def post(*, current_name: bool) -> bytes:
            tokens = self.config.answer_tokens
            return create(
                model=self.config.model,
                messages=messages,
                response_format=response_format,
                max_completion_tokens=tokens if current_name else openai.omit,
                max_tokens=openai.omit if current_name else tokens,
                timeout=httpx2.Timeout(seconds),
            ).http_response.content

        if self._state.get(self._old_length_key):
            return post(current_name=False)
        try:
            return post(current_name=True)
        except openai.APIStatusError as error:
            if error.status_code not in (400, 422) or not _ABOUT_THE_LENGTH.search(_complaint(error)):
                raise
            # The server only knows the former name of the limit.
            self._state.put(self._old_length_key, 1, life_s=_REMEMBER_S)
            return post(current_name=False)

    def _of_status(self, error: openai.APIStatusError, *, now: datetime) -> CallFailed:
        status = error.status_code
        retry_after_s = retry_after(error.response.headers, now=now)
        if status in (401, 403):
            problem = Problem.AUTH_FAILED
        elif status == 404:
            problem = Problem.MODEL_NOT_FOUND
        elif status == 429:
            spent = "insufficient_quota" in (error.code, error.type)
            problem = Problem.QUOTA_EXHAUSTED if spent else Problem.RATE_LIMITED
        elif status in (400, 415, 422, 500, 501) and _ABOUT_THE_MODE.search(_complaint(error)):
            # Some servers answer 500 when they cannot turn the schema into a grammar.
            problem = Problem.MODE_REJECTED
        elif status >= 500 or status in (408, 409, 425):
            problem = Problem.SERVER_ERROR
        elif status < 400:
            # A redirect: following it would take the key and the photos to an address nobody configured.
            problem = Problem.NOT_A_COMPLETION
        else:
            problem = Problem.BAD_REQUEST
        return CallFailed(problem, retry_after_s=retry_after_s, status=status)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks to wait (RFC 9110, 10.2.3), None without a usable one."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return max(0.0, (at - now).total_seconds()) if at.tzinfo else None


def _complaint(error: openai.APIStatusError) -> str:
    """What the server says is wrong, without what it only repeats of the request."""
    return " ".join(_words_of(error.body, depth=0))[:_LONGEST_COMPLAINT]


def _words_of(body: object, *, depth: int) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict) and depth < 4:
        for key in ("message", "param", "code", "type", "detail", "error", "msg", "loc"):
            yield from _words_of(body.get(key), depth=depth + 1)
    elif isinstance(body, list) and depth < 4:
        for part in body[:20]:
            yield from _words_of(part, depth=depth + 1)
