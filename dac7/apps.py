from __future__ import annotations

from django.apps import AppConfig


class Dac7Config(AppConfig):
    name = "dac7"
    verbose_name = "Tax reporting (DAC7)"

    def ready(self) -> None:
        """Fill the table of notices."""
        from dac7.statements import notices  # noqa: F401
