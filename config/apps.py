from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        from config.checks import generated_keys, sandboxes

        checks.register(generated_keys, checks.Tags.security, deploy=True)
        checks.register(sandboxes, "money", deploy=True)
