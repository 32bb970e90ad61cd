"""The life of one event on its way to one subscriber."""

from __future__ import annotations

from enum import StrEnum

from foundation.lifecycle import Lifecycle, Transition, register

WORKER, STAFF = "worker", "staff"


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


DELIVERY = register(
    Lifecycle(
        "Webhook delivery",
        statuses=DeliveryStatus,
        initial=DeliveryStatus.WAITING,
        meanings={
            DeliveryStatus.WAITING: "sent as soon as every earlier one of its subject is",
            DeliveryStatus.DELIVERED: "the subscriber answered 2xx",
            DeliveryStatus.DEAD: "given up after the last attempt; later ones of its subject go on",
        },
        transitions=[
            Transition(DeliveryStatus.WAITING, "deliver", DeliveryStatus.DELIVERED, WORKER),
            Transition(
                DeliveryStatus.WAITING, "give_up", DeliveryStatus.DEAD, WORKER, note="the last attempt failed"
            ),
            Transition(DeliveryStatus.DEAD, "send_again", DeliveryStatus.WAITING, STAFF, note="with a note"),
            Transition(
                DeliveryStatus.DELIVERED, "send_again", DeliveryStatus.WAITING, STAFF, note="with a note"
            ),
        ],
    )
)
