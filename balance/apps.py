from __future__ import annotations

from django.apps import AppConfig


class BalanceConfig(AppConfig):
    name = "balance"
    verbose_name = "Balance"

    def ready(self) -> None:
        """Say where callbacks go, and fill the table of notices."""
        from balance import notices  # noqa: F401
        from balance.services.callbacks import register_sources
        from balance.services.timers import register_sweepers

        register_sources()
        register_sweepers()
