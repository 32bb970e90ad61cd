"""Journeys from checkout to completed per second, and what the clock of orders costs.

On one private MariaDB with durable commits: the public services against the same statements sent by the
driver alone, in turns, in 1 and in 8 processes; a sweep that finds nothing with 10,000 and with a million
orders that are not due; and how many due orders a sweep moves per second.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import django

from bench.browse import make_database
from bench.figures import Figure

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"

POOL = 16_000
SECONDS = 2.0
ROUNDS = 3
FEW, MANY = 10_000, 1_000_000
DUE = 4_000
PAGES_AT_REST = 100


class Workers:
    """Some processes of one peer, that work at the same time when told."""

    def __init__(self, peer: str, count: int) -> None:
        self.processes = [
            subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-m", "bench.orders_worker", peer, str(number), str(count)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(count)
        ]
        for process in self.processes:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError(f"a worker of {peer} did not start")

    def rate(self, workers: int) -> float:
        """Journeys per second of this many of them."""
        working = self.processes[:workers]
        for process in working:
            assert process.stdin is not None
            print(SECONDS, file=process.stdin, flush=True)
        return sum(int(process.stdout.readline()) for process in working if process.stdout) / SECONDS

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(30)


def fill() -> None:
    """Sellers with one listing each, who have sold before, and as many buyers, in Germany."""
    from django.core.management import call_command
    from django.utils import timezone

    from balance.chart import AccountKind, of_member
    from balance.models import LedgerAccount
    from listings.models import Category, Condition, Listing
    from members.models import Member

    for command in ("load_markets", "load_catalogue", "load_order_terms", "load_shipping_options"):
        call_command(command, verbosity=0)
    now = timezone.now()
    made = {
        side: [
            Member(
                email=f"{side}{number:06}@bench.example",
                display_name=f"{side}{number}",
                market_id="DE",
                language="de",
                locale="de-DE",
                time_zone="Europe/Berlin",
                password="!",  # noqa: S106  # nobody signs in
            )
            for number in range(POOL)
        ]
        for side in ("s", "b")
    }
    Member.objects.bulk_create([*made["s"], *made["b"]], batch_size=1000)
    leaf = Category.objects.exclude(
        id__in=Category.objects.filter(parent__isnull=False).values("parent")
    ).first()
    # Who has sold before has accounts, which a first sale opens.
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(
                id=of_member(member.id, kind, "EUR").id,
                member_id=member.id,
                kind=kind.value,
                currency="EUR",
                balance_minor=0,
                opened_at=now,
            )
            for member in made["s"]
            for kind in (AccountKind.PENDING, AccountKind.AVAILABLE)
        ],
        batch_size=1000,
    )
    Listing.objects.bulk_create(
        [
            Listing(
                seller_id=member.id,
                status="active",
                country="DE",
                currency="EUR",
                category=leaf,
                condition=Condition.objects.first(),
                title=f"Item {number:06}",
                description="Worn twice, from a home without smokers.",
                price_minor=2000,
                parcel_size="small",
                created_at=now,
                updated_at=now,
                published_at=now,
            )
            for number, member in enumerate(made["s"])
        ],
        batch_size=1000,
    )


def journeys() -> list[Figure]:
    """Against the same statements by the driver alone."""
    rates: dict[tuple[str, int], list[float]] = {}
    with Workers("ours", 8) as ours, Workers("bare", 8) as bare:
        for _ in range(ROUNDS):
            for count in (1, 8):
                for name, workers in (("ours", ours), ("bare", bare)):
                    rates.setdefault((name, count), []).append(workers.rate(count))
    figures = []
    for count in (1, 8):
        ours_rate = statistics.median(rates["ours", count])
        ratio = ours_rate / statistics.median(rates["bare", count])
        name, against = f"checkout to completed, {count} processes", "the same statements by the driver alone"
        figures.append(Figure("orders", name, ours_rate, "orders/s", against, ratio, 0.35))
    return figures


def _orders(number: int, status: str, due_at: Any, now: Any) -> None:
    """Orders of the pool's members in this status, without their listings."""
    from listings.models import Listing
    from members.models import Member
    from orders.models import Order, OrderItem

    sellers = list(
        Member.objects.filter(email__startswith="s").order_by("email").values_list("id", flat=True)
    )
    buyers = list(Member.objects.filter(email__startswith="b").order_by("email").values_list("id", flat=True))
    listing = Listing.objects.values_list("id", flat=True)[0]
    timers = {"complete_after_hours": 48, "cancel_alone_hours": 2}
    orders = [
        Order(
            seller_id=sellers[i % POOL],
            buyer_id=buyers[i % POOL],
            status=status,
            seller_country="DE",
            buyer_country="DE",
            currency="EUR",
            terms=timers,
            listed_minor=2000,
            item_minor=2000,
            fee_minor=170,
            fee_vat_minor=27,
            shipping_minor=300,
            card_minor=2470,
            parcel_size="small",
            shipping_option="standard_home",
            created_at=now,
            updated_at=now,
            paid_at=now,
            ship_by_at=now,
            delivered_at=now,
            due_at=due_at,
        )
        for i in range(number)
    ]
    Order.objects.bulk_create(orders, batch_size=1000)
    OrderItem.objects.bulk_create(
        [
            OrderItem(
                order_id=order.id,
                listing_id=listing,
                position=0,
                title="Item",
                listing_version=1,
                listed_minor=2000,
                price_minor=2000,
                is_live=None,
            )
            for order in orders
        ],
        batch_size=1000,
    )


def _multiply(times: int) -> None:
    """As many more of the delivered orders, by the server itself."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orders_order LIMIT 0")
        columns = [column[0] for column in cursor.description]
        chosen = ", ".join("CONCAT(%s, SUBSTRING(id, 5))" if one == "id" else one for one in columns)
        for number in range(times):
            cursor.execute(
                f"INSERT INTO orders_order ({', '.join(columns)})"  # noqa: S608  # column names only
                f" SELECT {chosen} FROM orders_order WHERE status = 'delivered' AND id LIKE '01M%%'",
                (f"0{number:03}",),
            )
        cursor.execute("ANALYZE TABLE orders_order")
        cursor.fetchall()


def _wait_for_writes() -> None:
    """Until the server has written what it was given, which it does for minutes after a bulk insert."""
    from django.db import connection

    until = time.monotonic() + 120
    with connection.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0.001")
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        dirty = 1
        while dirty and time.monotonic() < until:
            time.sleep(1)
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
            dirty = int(cursor.fetchone()[1]) > PAGES_AT_REST
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = 90")
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0")


def sweeps() -> list[Figure]:
    """What a sweep costs that finds nothing, and what one does that finds a lot."""
    from django.utils import timezone

    from balance.chart import AccountKind
    from balance.models import LedgerAccount
    from orders.models import Order
    from orders.services.order_deadlines import sweep_orders

    now = timezone.now()
    _orders(FEW, "delivered", now + timedelta(days=2), now)

    def empty_sweep() -> float:
        started = time.perf_counter()
        if sweep_orders(now=now):
            raise RuntimeError("nothing was due")
        return time.perf_counter() - started

    def cost() -> float:
        return statistics.median(empty_sweep() for _ in range(200))

    few = cost()
    _multiply(MANY // FEW - 1)
    _wait_for_writes()
    many = cost()
    unit, target = "ms", 1 / 1.3
    figures = [
        Figure(
            "orders",
            f"sweep without due orders, {Order.objects.count():,} orders",
            many * 1000,
            unit,
            f"the same with {FEW:,}",
            few / many,
            target,
        )
    ]
    pending = AccountKind.PENDING.value
    LedgerAccount.objects.filter(kind=pending).update(balance_minor=10**9)
    _orders(DUE, "delivered", now - timedelta(seconds=1), now)
    started, cpu = time.perf_counter(), time.process_time()
    moved = sweep_orders(now=now)
    rate = moved / (time.perf_counter() - started)
    used = (time.process_time() - cpu) / moved * 1000
    if moved != DUE:
        raise RuntimeError(f"{moved} of {DUE} were moved")
    against = f"500 a second; {used:.2f} ms of our CPU each"
    figures.append(
        Figure("orders", "due orders completed, one worker", rate, "orders/s", against, rate / 500, 1.0)
    )
    return figures


def main() -> None:
    """Figures, one a line."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    make_database(settings.DATABASES["default"])
    call_command("migrate", verbosity=0)
    fill()
    for measure in (journeys, sweeps):
        for figure in measure():
            figure.show()


if __name__ == "__main__":
    main()
