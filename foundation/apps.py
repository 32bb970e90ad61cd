from __future__ import annotations

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "foundation"
    verbose_name = "Foundation"

    def ready(self) -> None:
        # Beside what it shows; foundation.admin is what all apps' pages stand on.
        from foundation.incoming import admin  # noqa: F401
