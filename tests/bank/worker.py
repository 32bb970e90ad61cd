"""One process of the bank test: moves cents between members until it is killed or told to stop.

It writes to its own file, a line each: `I key debit credit minor` before it asks, then `A key` when the
ledger said yes, or `R key` when it said no. A request whose answer got lost is asked again under the same
key, as a client would; one that a kill cut off stays without an answer.
"""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from types import FrameType

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from balance.chart import AccountKind, Event, of_member
from balance.errors import InsufficientFunds
from balance.events import Line, NewPosting
from balance.services.posting import post
from foundation.ids import new_id
from foundation.money import Money


def transfer(path: Path, members: list[str]) -> None:
    """Until SIGTERM; the request at hand gets its answer first."""
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    with path.open("a", buffering=1) as log:
        while not stopping:
            debit, credit = random.sample(members, 2)
            minor = random.randrange(1, 4000)
            key = f"bank:{new_id()}"
            log.write(f"I {key} {debit} {credit} {minor}\n")
            log.write(f"{_answer(key, debit, credit, minor)} {key}\n")


def _answer(key: str, debit: str, credit: str, minor: int) -> str:
    available = AccountKind.AVAILABLE
    line = Line(of_member(debit, available, "EUR"), of_member(credit, available, "EUR"), Money(minor, "EUR"))
    # No event that may make a debt, so that some are refused.
    posting = NewPosting(key, Event.HOLD_RELEASED, (line,), "bank", "system")
    while True:
        try:
            post(posting, now=timezone.now())
        except InsufficientFunds:
            return "R"
        except (DatabaseError, InterfaceError):
            connection.close()
            time.sleep(0.05)
        else:
            return "A"
