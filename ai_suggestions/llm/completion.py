"""What an endpoint answers: the parts of a chat.completion that we use, typed, and what became of it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ai_suggestions.llm.outcomes import CallFailed, Problem


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TokenDetails(_Wire):
    cached_tokens: int | None = None


class TokenUsage(_Wire):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: TokenDetails | None = None

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens that the endpoint had in its cache; part of ``prompt_tokens``."""
        details = self.prompt_tokens_details
        cached = (details.cached_tokens or 0) if details else 0
        return max(0, min(cached, self.prompt_tokens))


class Message(_Wire):
    content: str | None = None
    refusal: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        """Some servers answer a list of parts."""
        if isinstance(value, list):
            return "".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
        return value


class Choice(_Wire):
    message: Message
    finish_reason: str | None = None


class Completion(_Wire):
    """A chat.completion."""

    choices: tuple[Choice, ...] = Field(min_length=1)
    model: str | None = None
    usage: TokenUsage | None = None


def completion_in(body: bytes) -> Completion:
    """The completion that an answer with status 200 holds.

    Raises:
        CallFailed: NOT_A_COMPLETION.
    """
    try:
        return Completion.model_validate_json(body)
    except ValidationError as error:
        raise CallFailed(Problem.NOT_A_COMPLETION, status=200) from error


def text_of(completion: Completion) -> str:
    """The model's text.

    Raises:
        CallFailed: REFUSED, CUT_OFF, EMPTY_ANSWER.
    """
    first = completion.choices[0]
    if first.message.refusal or first.finish_reason == "content_filter":
        raise CallFailed(Problem.REFUSED, status=200)
    if first.finish_reason == "length":
        raise CallFailed(Problem.CUT_OFF, status=200)
    text = (first.message.content or "").strip()
    if not text:
        raise CallFailed(Problem.EMPTY_ANSWER, status=200)
    return text
