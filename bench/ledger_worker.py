"""One process that posts, told on stdin what and how long: `python -m bench.ledger_worker PEER NUMBER OF`.

PEER is `ours` (the public service), `bare` (mysqlclient writing the same rows by hand, without Django, checks
of the content or a fingerprint) or `hordak` (django-hordak's transfer; "refusing" is the same after a look at
the balance under the account's lock, as whoever must not overdraw an account has to do with it).
Each line of stdin is `WORKLOAD SECONDS`; the answer is a line with how many postings were committed.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import django

BATCH = 200
RETRYABLE = {1205, 1213, 1020}


def ours() -> dict[str, Callable[[], int]]:
    """Workloads on the public service."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.utils import timezone

    from balance.chart import AccountKind, Event, of_member, of_platform
    from balance.events import Line, NewPosting
    from balance.models import LedgerAccount
    from balance.services.posting import post, post_many
    from foundation.money import Money

    kind = AccountKind.AVAILABLE.value
    members = list(LedgerAccount.objects.filter(kind=kind).values_list("member_id", flat=True))
    hot = of_platform(AccountKind.PSP_CLEARING, "EUR")
    one = Money(1, "EUR")
    number = itertools.count()
    process = f"{os.getpid()}"

    own = members[int(sys.argv[2]) :: int(sys.argv[3])]

    def posting(from_platform: bool, among: list[str] = members) -> NewPosting:
        first, second = random.sample(among, 2)
        key = f"bench:{process}:{next(number)}"
        debit = hot if from_platform else of_member(first, AccountKind.AVAILABLE, "EUR")
        line = Line(debit, of_member(second, AccountKind.AVAILABLE, "EUR"), one)
        return NewPosting(key, Event.CORRECTION, (line,), key, "system")

    def spread() -> int:
        post(posting(False), now=timezone.now())
        return 1

    def hot_platform() -> int:
        post(posting(True), now=timezone.now())
        return 1

    def batch() -> int:
        # Sweepers skip what another one has locked, so their batches share no member.
        post_many([posting(False, own) for _ in range(BATCH)], now=timezone.now())
        return BATCH

    return {"spread": spread, "hot": hot_platform, "batch": batch}


def bare() -> dict[str, Callable[[], int]]:
    """The same rows in the same tables, written by hand with the driver."""
    connection = _bare_connection()
    cursor = connection.cursor()
    cursor.execute("SET NAMES utf8mb4")
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    cursor.execute("SELECT id FROM balance_ledgeraccount WHERE kind = 'available'")
    accounts = [row[0] for row in cursor.fetchall()]
    hot = "platform:psp_clearing:EUR"
    cursor.execute(
        "INSERT IGNORE INTO balance_ledgeraccount (id, kind, currency, last_entry, opened_at)"
        " VALUES (%s, 'psp_clearing', 'EUR', 0, NOW())",
        (hot,),
    )
    connection.commit()
    number = itertools.count()
    process = f"{os.getpid()}-".rjust(14, "0")

    def transfer(debit: str, credit: str) -> int:
        id_ = f"{process}{next(number):012}"
        names = sorted({debit, credit} - {hot})
        while True:
            try:
                marks = ", ".join(["%s"] * len(names))
                cursor.execute(
                    "SELECT id, balance_minor, last_entry FROM balance_ledgeraccount"  # noqa: S608  # marks only
                    f" WHERE id IN ({marks}) ORDER BY id FOR UPDATE",
                    names,
                )
                found = {name: (minor, last) for name, minor, last in cursor.fetchall()}
                now = max(time.time_ns(), *(last + 1 for _, last in found.values()), 0)
                debited = found[debit][0] - 1 if debit in found else None
                if debited is not None and debited < 0:
                    raise RuntimeError("not enough")
                credited = found[credit][0] + 1
                cursor.execute(
                    "INSERT INTO balance_posting (id, `key`, event, reference, fingerprint, actor, reason,"
                    " effective_at, recorded_at)"
                    " VALUES (%s, %s, 'correction', %s, %s, 'system', '', NOW(6), NOW(6))",
                    (id_, f"bench:{id_}", f"bench:{id_}", "0" * 64),
                )
                cursor.execute(
                    "INSERT INTO balance_transfer (id, posting_id, position, debit_account_id,"
                    " credit_account_id, currency, amount_minor, debit_entry, debit_balance_minor,"
                    " credit_entry, credit_balance_minor)"
                    " VALUES (%s, %s, 1, %s, %s, 'EUR', 1, %s, %s, %s, %s)",
                    (
                        f"{id_}-1",
                        id_,
                        debit,
                        credit,
                        None if debited is None else now,
                        debited,
                        now,
                        credited,
                    ),
                )
                for name, minor in ((debit, debited), (credit, credited)):
                    if minor is not None:
                        cursor.execute(
                            "UPDATE balance_ledgeraccount SET balance_minor = %s, last_entry = %s"
                            " WHERE id = %s",
                            (minor, now, name),
                        )
                connection.commit()
            except connection.OperationalError as error:
                connection.rollback()
                if error.args[0] not in RETRYABLE:
                    raise
            else:
                return 1

    def spread() -> int:
        debit, credit = random.sample(accounts, 2)
        return transfer(debit, credit)

    return {"spread": spread, "hot": lambda: transfer(hot, random.choice(accounts))}


def hordak() -> dict[str, Callable[[], int]]:
    """django-hordak, with its own settings and database."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.hordak_settings"
    django.setup()
    from hordak.models import Account
    from moneyed import Money

    accounts = list(Account.objects.filter(type="LI"))
    amount = Money(1, "EUR")

    def transfer(*, looks_first: bool) -> int:
        from django.db import OperationalError, transaction

        first, second = random.sample(accounts, 2)
        while True:
            try:
                # Its check at commit refuses two legs that are saved one by one outside a transaction.
                with transaction.atomic():
                    if looks_first:
                        # All are debts of the house that grow and shrink at random: none is refused.
                        Account.objects.select_for_update().get(pk=first.pk).get_simple_balance()
                    first.transfer_to(second, amount)
            except OperationalError as error:
                if error.args[0] not in RETRYABLE:
                    raise
            else:
                return 1

    return {"spread": lambda: transfer(looks_first=False), "refusing": lambda: transfer(looks_first=True)}


def _bare_connection() -> Any:
    import MySQLdb
    from django.conf import settings

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    own = settings.DATABASES["default"]
    return MySQLdb.connect(
        host=own["HOST"],
        port=int(own["PORT"] or 3306),
        user=own["USER"],
        password=own["PASSWORD"],
        database=own["NAME"],
    )


def main() -> None:
    """Answer lines until stdin ends."""
    workloads = {"ours": ours, "bare": bare, "hordak": hordak}[sys.argv[1]]()
    print("ready", flush=True)
    for line in sys.stdin:
        name, seconds = line.split()
        action = workloads[name]
        count, ends_at = 0, time.perf_counter() + float(seconds)
        while time.perf_counter() < ends_at:
            count += action()
        print(count, flush=True)


if __name__ == "__main__":
    main()
