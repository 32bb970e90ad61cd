"""Providers of suggestions, by name. Importing this package loads no model and no runtime."""

from __future__ import annotations

from ai_suggestions.providers.registry import (
    CASCADE,
    UnknownProvider,
    asks_llm,
    provider_named,
    provider_names,
    register_provider,
    shadow_named,
)

__all__ = [
    "CASCADE",
    "UnknownProvider",
    "asks_llm",
    "provider_named",
    "provider_names",
    "register_provider",
    "shadow_named",
]
