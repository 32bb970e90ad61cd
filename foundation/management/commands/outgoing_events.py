from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from foundation.models import OutgoingEvent
from foundation.outgoing.lifecycle import DeliveryStatus


class Command(BaseCommand):
    help = "List outgoing events, newest first, with what became of them at each subscriber."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--subject", help="only of this subject, for example order:01J…")
        parser.add_argument("--kind", help="only of this kind, for example order.paid")
        parser.add_argument(
            "--status", choices=[str(status) for status in DeliveryStatus], help="only with such a delivery"
        )
        parser.add_argument("--limit", type=int, default=20)

    def handle(self, *args: Any, **options: Any) -> None:
        events = OutgoingEvent.objects.order_by("-sequence")
        if options["subject"]:
            events = events.filter(subject=options["subject"])
        if options["kind"]:
            events = events.filter(kind=options["kind"])
        if options["status"]:
            events = events.filter(webhookdelivery__status=options["status"]).distinct()
        for event in events.prefetch_related("webhookdelivery_set__endpoint")[: options["limit"]]:
            waits = "" if event.fan_out_at is None else "  (no deliveries yet)"
            self.stdout.write(
                f"{event.occurred_at:%Y-%m-%dT%H:%M:%SZ} {event.id} {event.kind} {event.subject}{waits}"
            )
            for delivery in event.webhookdelivery_set.all():
                said = delivery.last_status or delivery.last_error or "-"
                self.stdout.write(
                    f"  {delivery.status} after {delivery.attempts} attempts, last answer {said}: "
                    f"{delivery.endpoint.url}"
                )
