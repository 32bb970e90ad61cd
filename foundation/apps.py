from __future__ import annotations

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "foundation"
    verbose_name = "Foundation"

    def ready(self) -> None:
        # Beside what they show; foundation.admin is what all apps' pages stand on.
        import foundation.incoming.admin
        import foundation.outgoing.admin
        import foundation.sandbox.admin  # noqa: F401
        from foundation.timers import register_sweepers

        register_sweepers()
