"""Providers of suggestions, by name. Importing this package loads no model and no runtime."""

from __future__ import annotations

from ai_suggestions.providers.registry import UnknownProvider, provider_named, register_provider

__all__ = ["UnknownProvider", "provider_named", "register_provider"]
