from __future__ import annotations

from django.apps import AppConfig


class ListingsConfig(AppConfig):
    name = "listings"
    verbose_name = "Listings"

    def ready(self) -> None:
        """Fill the table of notices."""
        from listings import notices  # noqa: F401
