from __future__ import annotations

from django.apps import AppConfig


class ListingsConfig(AppConfig):
    name = "listings"
    verbose_name = "Listings"

    def ready(self) -> None:
        """Fill the table of notices, and say what the clock brings about."""
        from listings import notices  # noqa: F401
        from listings.services.timers import register_sweepers

        register_sweepers()
