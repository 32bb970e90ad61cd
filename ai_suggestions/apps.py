from __future__ import annotations

from django.apps import AppConfig


class AiSuggestionsConfig(AppConfig):
    name = "ai_suggestions"
    verbose_name = "AI suggestions"
