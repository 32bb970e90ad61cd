"""What the LLM provider sends for a listing, and what 1,000 listings would cost by the tokens of its records.

No paid model is asked. The endpoint is the tests' double, which reads requests as a strict endpoint does:
images by OpenAI's published rule for high detail (85 tokens, and 170 for each tile of 512 pixels), text as a
token for each four bytes, its prompt cache by prefixes. Prices are those of the example in .env.example,
per million tokens. The answer is the longer one of the tests' good answers.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.figures import Figure
from bench.suggestions_photos import listing_uploads

if TYPE_CHECKING:
    from ai_suggestions.llm.calls import CallRecord

LISTINGS = 6
EXAMPLE_PRICES = {"input": "2.50", "cached": "1.25", "output": "10"}
MICRO = 1_000_000

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"


def main() -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["PRELOVED_HOME"] = home
        measure()


def measure() -> None:
    """Everything that needs the settings of a fresh home."""
    import django

    django.setup()
    calls = recorded_calls()
    sent = {
        "tokens_in": [call.tokens_in for call in calls],
        "tokens_in_cached": [call.tokens_cached for call in calls],
        "tokens_out": [call.tokens_out for call in calls],
        "photo_kilobytes": [call.photo_bytes // 1000 for call in calls],
    }
    for name, values in sent.items():
        unit = "kB/listing" if name == "photo_kilobytes" else "tokens/listing"
        Figure("suggestions", f"llm_{name}", statistics.median(values), unit, "no peer", None, None).show()
    from ai_suggestions.llm.completion import TokenUsage
    from ai_suggestions.llm.prices import Prices

    prices = Prices.of(EXAMPLE_PRICES)
    cost = statistics.mean(call.cost_micro for call in calls) / MICRO
    uncached = statistics.mean(
        prices.cost_micro(TokenUsage(prompt_tokens=call.tokens_in, completion_tokens=call.tokens_out))
        for call in calls
    )
    Figure(
        "suggestions", "llm_cost_of_1000_listings", 1000 * cost, "units of the example prices",
        f"without the endpoint's prompt cache: {1000 * uncached / MICRO:.2f}", uncached / MICRO / cost, 1.0,
    ).show()  # fmt: skip


def recorded_calls() -> Sequence[CallRecord]:
    """The records of one call a listing, behind a first call that fills the endpoint's cache."""
    from django.utils import timezone

    from ai_suggestions.contract import Market, PhotoInput, SellerFacts, SuggestionRequest
    from ai_suggestions.evaluation.looking import NoSales, PhotoReadings
    from ai_suggestions.llm.budget import BudgetInMemory
    from ai_suggestions.llm.endpoint import Endpoint, EndpointConfig
    from ai_suggestions.llm.prices import Prices
    from ai_suggestions.llm.provider import LlmOptions, LlmProvider
    from ai_suggestions.llm.state import StateInMemory
    from listings.photos.processing import process
    from tests.ai_suggestions.llm.asking import LABELLED
    from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, says
    from tests.factories.suggestions import full_catalogue

    calls: list[CallRecord] = []
    chance = random.Random(13)
    state = StateInMemory()
    with OpenAiServer(default=says(LABELLED)) as server:
        endpoint = Endpoint(EndpointConfig(server.url, MODEL, KEY), state=state)
        provider = LlmProvider(
            endpoint,
            state=state,
            budget=BudgetInMemory(limit_micro=None),
            recorder=calls.append,
            clock=timezone.now,
            options=LlmOptions(prices=Prices.of(EXAMPLE_PRICES)),
        )
        for _ in range(LISTINGS + 1):
            masters = [process(upload).master for upload in listing_uploads(chance)]
            request = SuggestionRequest(
                photos=tuple(
                    PhotoInput(id=f"photo-{i}", position=i, content=c, sha256=hashlib.sha256(c).hexdigest())
                    for i, c in enumerate(masters)
                ),
                facts=SellerFacts(),
                market=Market(country="IE", currency="EUR", language="en"),
                catalogue=full_catalogue(),
                comparables=NoSales(),
                readings=PhotoReadings(),
            )
            list(provider.run(request))
        endpoint.close()
    if len(calls) != LISTINGS + 1 or any(call.outcome != "ok" for call in calls):
        raise RuntimeError(f"outcomes: {[call.outcome for call in calls]}")
    return calls[1:]


if __name__ == "__main__":
    main()
