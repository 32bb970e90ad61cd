"""What a call costs, in millionths of the price list's currency (micro-units), from tokens.

An amount per million tokens is the same number as micro-units per token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ai_suggestions.llm.completion import TokenUsage

# Upper bound for one photo of 1024 x 1024: the models known to us that count most take one token per
# 16 x 16 pixels. An endpoint that counts more makes the reservation too small, not the bill wrong.
MOST_TOKENS_PER_PHOTO = 4096


@dataclass(frozen=True, slots=True)
class Prices:
    """A model's prices per million tokens, as configured; a free model has zeros."""

    input: Decimal = Decimal(0)
    cached_input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)

    @classmethod
    def of(cls, table: Mapping[str, str]) -> Prices:
        """From ``{"input": "2.50", "cached": "1.25", "output": "10"}``; ``cached`` defaults to ``input``.

        Raises:
            ValueError: another key, or an amount that is no number or negative.
        """
        unknown = set(table) - {"input", "cached", "output"}
        if unknown:
            raise ValueError(f"unknown prices: {', '.join(sorted(unknown))}")
        try:
            amounts = {name: Decimal(amount) for name, amount in table.items()}
        except ArithmeticError as error:
            raise ValueError("a price is not a number") from error
        if any(not amount.is_finite() or amount < 0 for amount in amounts.values()):
            raise ValueError("a price is not a number of 0 or more")
        input_ = amounts.get("input", Decimal(0))
        return cls(input_, amounts.get("cached", input_), amounts.get("output", Decimal(0)))

    def cost_micro(self, usage: TokenUsage) -> int:
        """The cost of a call, rounded up."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        return math.ceil(
            fresh * self.input
            + usage.cached_tokens * self.cached_input
            + usage.completion_tokens * self.output
        )

    def most_micro(self, *, text_bytes: int, photos: int, answer_tokens: int) -> int:
        """The most that a call can cost. A token stands for at least one byte of text."""
        dearest = max(self.input, self.cached_input)
        tokens_in = text_bytes + photos * MOST_TOKENS_PER_PHOTO
        return math.ceil(tokens_in * dearest + answer_tokens * self.output)
