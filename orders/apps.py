from __future__ import annotations

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        """Fill the table of notices, open the addresses of callbacks, say what the clock brings about."""
        from orders import notices  # noqa: F401
        from orders.services import carrier_callbacks, payment_callbacks
        from orders.services.timers import register_sweepers

        carrier_callbacks.register_sources()
        payment_callbacks.register_sources()
        register_sweepers()
