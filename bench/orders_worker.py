"""One process that trades, told on stdin for how long: `python -m bench.orders_worker PEER NUMBER OF`.

A journey is checkout, payment by card at the sandbox's provider, delivery, confirmation. PEER is `ours` (the
public services) or `bare`: the very statements of such a journey, recorded once and sent again by the
driver alone with other members, another listing and fresh ids, in the same transactions.
Each line of stdin is `SECONDS`; the answer is a line with how many journeys were made.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import django

RETRYABLE = {1205, 1213, 1020}
ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
Traders = tuple[str, str, str]
"""Seller, buyer, listing: each journey has its own."""


def journey(traders: Traders) -> None:
    """From the checkout to the seller's money, through the public services."""
    from django.utils import timezone

    from orders.models import Order
    from orders.providers.carriers.contract import Address
    from orders.services.charging import advance_payment
    from orders.services.checking_out import pay
    from orders.services.checkouts import Choices, Delivery, create_checkout
    from orders.services.completing import confirm
    from orders.services.moving_parcels import record_parcel_event

    _, buyer, listing = traders
    now = timezone.now()
    address = Address("Jonas Meier", "Markt 1", "10115", "Berlin", "DE")
    order_id = create_checkout(
        buyer_id=buyer,
        listing_ids=[listing],
        choices=Choices(Delivery("standard_home", address)),
        now=now,
    )
    payment_id = pay(
        buyer_id=buyer,
        order_id=order_id,
        quote_version=1,
        method="pm_card_ok",
        return_url="",
        now=now,
    )
    if payment_id is None:
        raise RuntimeError("the wallet should be empty")
    advance_payment(payment_id=payment_id, now=now)  # reserves, then captures
    later = now + timedelta(days=2)
    record_parcel_event(
        order_id=order_id, parcel_id="", leg="outbound", code="delivered", occurred_at=later, now=later
    )
    confirm(buyer_id=buyer, order_id=order_id, now=later)
    if Order.objects.filter(id=order_id, status="completed").count() != 1:
        raise RuntimeError("the journey did not reach its end")


@dataclass
class Recording:
    """The statements of a journey by transaction, each with its parameters, of which texts hold ids."""

    traders: Traders
    transactions: list[list[tuple[str, tuple[Any, ...]]]] = field(default_factory=lambda: [[]])

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.transactions[-1].append((sql, tuple(params or ())))
        return execute(sql, params, many, context)

    def commit(self) -> None:
        if self.transactions[-1]:
            self.transactions.append([])

    def for_others(self, traders: Traders) -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
        """The same with other traders and fresh ids."""
        from foundation.ids import new_id

        ids = dict(zip(self.traders, traders, strict=True))

        def replaced(match: re.Match[str]) -> str:
            found = match.group()
            return ids.setdefault(found, new_id())

        for transaction in self.transactions:
            yield [
                (sql, tuple(ULID.sub(replaced, one) if isinstance(one, str) else one for one in params))
                for sql, params in transaction
            ]


def record(traders: Traders) -> Recording:
    """Make the journey, and keep what was sent."""
    from django import db

    connection: Any = db.connection  # its commits are private, and only here
    recording = Recording(traders)
    commit, set_autocommit = connection._commit, connection._set_autocommit

    def committing() -> None:
        commit()
        recording.commit()

    def switching(autocommit: bool) -> None:
        set_autocommit(autocommit)
        recording.commit()

    connection._commit, connection._set_autocommit = committing, switching
    with connection.execute_wrapper(recording):
        journey(traders)
    connection._commit, connection._set_autocommit = commit, set_autocommit
    return recording


def replayer(recording: Recording) -> Callable[[Traders], None]:
    """Sends the recording for other traders, by mysqlclient alone."""
    from django import db

    connection: Any = db.connection
    bare = connection.Database.connect(**connection.get_connection_params())
    cursor = bare.cursor()
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    bare.commit()

    def send(transaction: list[tuple[str, tuple[Any, ...]]]) -> None:
        while True:
            try:
                for sql, params in transaction:
                    cursor.execute(sql, params or None)
                    cursor.fetchall()
                    while cursor.nextset() is not None:
                        cursor.fetchall()
                bare.commit()
            except bare.OperationalError as error:
                bare.rollback()
                if error.args[0] not in RETRYABLE:
                    raise
            else:
                return

    def replay(traders: Traders) -> None:
        for transaction in recording.for_others(traders):
            send(transaction)

    return replay


def own_traders(peer: str, number: int, of: int) -> list[Traders]:
    """Those that no other process trades with: the first half of the pool is ours', the second bare's."""
    from listings.models import Listing
    from members.models import Member

    buyers = list(Member.objects.filter(email__startswith="b").order_by("id").values_list("id", flat=True))
    rows = Listing.objects.order_by("id").values_list("seller_id", "id")
    pool = [(seller, buyer, listing) for (seller, listing), buyer in zip(rows, buyers, strict=True)]
    half = len(pool) // 2
    return (pool[:half] if peer == "ours" else pool[half:])[number::of]


def main(peer: str, number: int, of: int) -> None:
    """Get ready, then make journeys whenever told."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    left = iter(own_traders(peer, number, of))
    act = replayer(record(next(left))) if peer == "bare" else journey
    act(next(left))
    print("ready", flush=True)
    for line in sys.stdin:
        until, made = time.perf_counter() + float(line), 0
        while time.perf_counter() < until:
            act(next(left))
            made += 1
        print(made, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
