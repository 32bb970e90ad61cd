"""The life of a callback, from its arrival on."""

from __future__ import annotations

from enum import StrEnum

from foundation.lifecycle import Lifecycle, Transition, register

WORKER, STAFF = "worker", "staff"


class EventStatus(StrEnum):
    WAITING = "waiting"
    PROCESSED = "processed"
    DEAD = "dead"


INCOMING_EVENT = register(
    Lifecycle(
        "Incoming event",
        statuses=EventStatus,
        initial=EventStatus.WAITING,
        meanings={
            EventStatus.WAITING: "stored; handled as soon as every earlier one of its subject is",
            EventStatus.PROCESSED: "its effect and this mark were committed together",
            EventStatus.DEAD: "given up after the last attempt; later ones of its subject go on without it",
        },
        transitions=[
            Transition(EventStatus.WAITING, "process", EventStatus.PROCESSED, WORKER),
            Transition(
                EventStatus.WAITING, "give_up", EventStatus.DEAD, WORKER, note="the last attempt failed"
            ),
            Transition(EventStatus.DEAD, "process_again", EventStatus.WAITING, STAFF, note="with a note"),
        ],
    )
)
