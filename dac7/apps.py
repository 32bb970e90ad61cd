from __future__ import annotations

from django.apps import AppConfig


class Dac7Config(AppConfig):
    name = "dac7"
    verbose_name = "Tax reporting (DAC7)"

    def ready(self) -> None:
        """Fill the table of notices, and say what the clock brings about."""
        from dac7 import notices as _  # noqa: F401
        from dac7.services.timers import register_sweepers
        from dac7.statements import notices  # noqa: F401

        register_sweepers()
