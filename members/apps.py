from __future__ import annotations

from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "members"
    verbose_name = "Members"

    def ready(self) -> None:
        """Fill the table of notices, and say what the clock brings about."""
        from members.notices import own  # noqa: F401
        from members.services.timers import register_sweepers

        register_sweepers()
