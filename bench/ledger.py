"""Postings per second through the public service, against the least in bare SQL and against django-hordak.

All on one private MariaDB with durable commits, in turns, each peer in 1 and in 8 processes. Then what a
balance costs on an account with 100 transfers and on one with a million, and what the audit of all costs.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

from bench.browse import make_database
from bench.figures import Figure, interleaved_rates

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"

MEMBERS = 5_000
SECONDS = 2.0
ROUNDS = 5
PEER = Path("var/bench/hordak")
HORDAK = "django-hordak==2.0.0"  # MIT; only here, as the peer, hence in no lock file
FEW, MANY = 100, 1_000_000


class Workers:
    """Some processes of one peer, that work at the same time when told."""

    def __init__(self, peer: str, count: int) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(PEER.resolve())])}
        self.processes = [
            subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-m", "bench.ledger_worker", peer, str(number), str(count)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for number in range(count)
        ]
        for process in self.processes:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError(f"a worker of {peer} did not start")

    def rate(self, workload: str, *, workers: int) -> float:
        """Postings per second of this many of them."""
        working = self.processes[:workers]
        for process in working:
            assert process.stdin is not None
            print(workload, SECONDS, file=process.stdin, flush=True)
        return sum(int(process.stdout.readline()) for process in working if process.stdout) / SECONDS

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(30)


def fill() -> None:
    """Members with money."""
    from django.utils import timezone

    from balance.chart import AccountKind, of_member
    from balance.models import LedgerAccount
    from members.models import Member

    now = timezone.now()
    members = [
        Member(
            email=f"m{number}@bench.example",
            display_name=f"M{number}",
            market_id="DE",
            language="de",
            locale="de-DE",
            time_zone="Europe/Berlin",
            password="!",  # noqa: S106  # nobody signs in
        )
        for number in range(MEMBERS)
    ]
    Member.objects.bulk_create(members)
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(
                id=of_member(member.id, AccountKind.AVAILABLE, "EUR").id,
                member_id=member.id,
                kind=AccountKind.AVAILABLE.value,
                currency="EUR",
                balance_minor=10**12,
                opened_at=now,
            )
            for member in members
        ]
    )


def prepare_hordak() -> None:
    """Install the peer beside the environment, and make its tables and accounts."""
    if not (PEER / "hordak").is_dir():
        tool = ["uv", "pip", "install", "--python", sys.executable] if shutil.which("uv") else None
        command = tool or [sys.executable, "-m", "pip", "install"]
        subprocess.run([*command, "--quiet", "--target", str(PEER), HORDAK], check=True)  # noqa: S603
        for name in PEER.glob("[Dd]jango*"):
            if name.name.lower().startswith(("django-5", "django-6")) or name.name == "django":
                shutil.rmtree(name)  # the same Django for both
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.hordak_settings"}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path.cwd()), str(PEER.resolve())])
    script = (
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('migrate', verbosity=0)\n"
        "from hordak.models import Account\n"
        "for n in range(500): Account.objects.create(name=f'a{n}', code=f'{n:03}', type='LI',"
        " currencies=['EUR'])\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)  # noqa: S603


def measure_posting() -> None:
    """Single postings of all peers, the hot account, batches."""
    cases = [
        ("ours", "spread"),
        ("bare", "spread"),
        ("hordak", "spread"),
        ("hordak", "refusing"),
        ("ours", "hot"),
        ("bare", "hot"),
        ("ours", "batch"),
    ]
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Workers(name, 8)) for name in ("ours", "bare", "hordak")}
        for workers in (1, 8):
            found: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
            for _ in range(ROUNDS):
                for peer, workload in cases:
                    found[(peer, workload)].append(peers[peer].rate(workload, workers=workers))
            rates = {case: statistics.median(values) for case, values in found.items()}
            _show(rates, workers)


def _show(rates: dict[tuple[str, str], float], workers: int) -> None:
    spread, hot = rates[("ours", "spread")], rates[("ours", "hot")]
    bare, hordak = rates[("bare", "spread")], rates[("hordak", "spread")]
    rows = [
        ("spread", spread, "bare mysqlclient", bare, 0.6),
        ("spread_against_hordak", spread, "django-hordak", hordak, 3.0),
        ("spread_against_refusing_hordak", spread, "the same, refusing", rates[("hordak", "refusing")], None),
        (
            "bare_against_hordak",
            rates[("bare", "spread")],
            "django-hordak",
            rates[("hordak", "spread")],
            None,
        ),
        ("hot", hot, "bare mysqlclient", rates[("bare", "hot")], 0.6),
        ("hot_against_spread", hot, "ours, spread", spread, 0.9),
        ("batch", rates[("ours", "batch")], "ours, one by one", spread, 5.0),
    ]
    for figure, value, against, peer, target in rows:
        Figure(
            "ledger",
            f"{figure}_{workers}_workers",
            value,
            "postings/s",
            f"{against}: {peer:.0f}/s",
            value / peer,
            target,
        ).show()


def fill_history(member_id: str, transfers: int) -> None:
    """So many gifts of a cent in the member's account, one a second, written by the database itself."""
    from django.db import connection

    from balance.chart import AccountKind, of_member, of_platform
    from balance.moments import entry_number

    account = of_member(member_id, AccountKind.AVAILABLE, "EUR").id
    goodwill = of_platform(AccountKind.GOODWILL, "EUR").id
    start = datetime(2025, 1, 1, tzinfo=UTC)
    first = entry_number(start)
    second = entry_number(start + timedelta(seconds=1)) - first
    numbers = f"FROM seq_1_to_{transfers}"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT IGNORE INTO balance_ledgeraccount (id, kind, currency, last_entry, opened_at)"
            " VALUES (%s, 'goodwill', 'EUR', 0, NOW())",
            [goodwill],
        )
        cursor.execute(
            "INSERT INTO balance_posting (id, `key`, event, reference, fingerprint, actor, reason,"
            " effective_at, recorded_at) SELECT CONCAT(%s, LPAD(seq, 10, '0')), CONCAT('h:', %s, seq),"
            " 'goodwill_given', 'bench', '', 'system', '', TIMESTAMPADD(SECOND, seq, %s),"
            f" TIMESTAMPADD(SECOND, seq, %s) {numbers}",
            [member_id[-16:], member_id, start.replace(tzinfo=None), start.replace(tzinfo=None)],
        )
        cursor.execute(
            "INSERT INTO balance_transfer (id, posting_id, position, debit_account_id, credit_account_id,"
            " currency, amount_minor, credit_entry, credit_balance_minor)"
            " SELECT CONCAT(%s, LPAD(seq, 10, '0'), '-1'), CONCAT(%s, LPAD(seq, 10, '0')), 1, %s, %s, 'EUR',"
            f" 1, %s + seq * {second}, seq {numbers}",
            [member_id[-16:], member_id[-16:], goodwill, account, first],
        )
        cursor.execute(
            "UPDATE balance_ledgeraccount SET balance_minor = %s, last_entry = %s WHERE id = %s",
            [transfers, first + transfers * second, account],
        )
        cursor.execute("ANALYZE TABLE balance_transfer, balance_posting, balance_ledgeraccount")
        cursor.fetchall()


def measure_reading() -> None:
    """What a look at an account costs, short history against long."""
    from members.models import Member

    few, many = Member.objects.order_by("id").values_list("id", flat=True)[:2]
    fill_history(few, FEW)
    fill_history(many, MANY)
    for name, read in readings().items():
        rates = interleaved_rates(
            {"few": lambda read=read: read(few, FEW), "many": lambda read=read: read(many, MANY)},  # type: ignore[misc]
            seconds=0.5,
        )
        Figure(
            "ledger",
            f"{name}_of_a_million",
            rates["many"],
            "reads/s",
            f"of {FEW} transfers: {rates['few']:.0f}/s",
            rates["many"] / rates["few"],
            1 / 1.5,
        ).show()
    plan(many)


def readings() -> dict[str, Any]:
    """Name -> function of (member, number of transfers): each reads in the middle of the history."""
    from balance.chart import AccountKind, of_member
    from balance.moments import entry_number
    from balance.months import Month
    from balance.queries.balances import get_account_balance_at, get_balances, get_balances_at
    from balance.queries.entries import EntryFilter, Position, list_entries
    from balance.queries.statements import Period, Section, read_lines

    start = datetime(2025, 1, 1, tzinfo=UTC)

    def at(transfers: int) -> datetime:
        return start + timedelta(seconds=transfers // 2)

    def page(member: str, transfers: int) -> None:
        account = of_member(member, AccountKind.AVAILABLE, "EUR").id
        position = Position(entry_number(at(transfers)), account)
        assert len(list_entries([account], EntryFilter(), limit=20, after=position).entries) == 20

    def statement(member: str, transfers: int) -> None:
        """Of a month that has 40 lines, with the entries of other months on either side."""
        account, since = of_member(member, AccountKind.AVAILABLE, "EUR"), at(transfers)
        until = since + timedelta(seconds=40)
        period = Period(member, Month(2025, 1), "UTC", since, until, until, is_closed=True)
        opening = get_account_balance_at(account, since - timedelta(microseconds=1))
        assert len(read_lines(Section(account, period, opening))) == 40

    return {
        "balance": lambda member, _: get_balances(member, "EUR"),
        "balance_at": lambda member, transfers: get_balances_at(member, "EUR", at(transfers)),
        "page_of_entries": page,
        "statement": statement,
    }


def measure_audit() -> None:
    """Adding up every member's account and hashing every day, against one statement that only adds up."""
    from django.db import connection
    from django.utils import timezone

    from balance.models import Transfer
    from balance.queries.totals import recompute
    from balance.services.control import ACCOUNTS_AT_A_TIME, seal_days, verify_chain

    transfers = Transfer.objects.count()

    def add_up() -> None:
        with connection.cursor() as cursor:
            for side in ("debit", "credit"):
                cursor.execute(
                    f"SELECT {side}_account_id, SUM(amount_minor), COUNT(*) FROM balance_transfer"  # noqa: S608  # names of ours
                    f" GROUP BY {side}_account_id"
                )
                cursor.fetchall()

    def recompute_all() -> None:
        after = ""
        while rows := recompute(after=after, limit=ACCOUNTS_AT_A_TIME):
            after = rows[-1].account_id

    seal_days(now=timezone.now() + timedelta(days=1))  # also what was posted today
    rates = interleaved_rates({"bare": add_up, "audit": recompute_all}, rounds=3)
    Figure(
        "ledger",
        "audit",
        rates["audit"] * transfers,
        "transfers/s",
        f"SELECT SUM GROUP BY: {rates['bare'] * transfers:.0f}/s",
        rates["audit"] / rates["bare"],
        0.5,
    ).show()
    started = time.perf_counter()
    verify_chain(now=timezone.now())
    rate = transfers / (time.perf_counter() - started)
    Figure(
        "ledger", "verify_chain", rate, "transfers/s", "a million in a minute", rate / (10**6 / 60), 1.0
    ).show()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Figure("ledger", "audit_peak_memory", peak, "MB", f"{transfers} transfers", None, None).show()


def plan(member_id: str) -> None:
    """The query plans of the point-in-time look-up and of a page of entries, on stderr."""
    from django.db import connection

    from balance.chart import AccountKind, of_member

    account = of_member(member_id, AccountKind.AVAILABLE, "EUR").id
    where = "FROM balance_transfer WHERE credit_account_id = %s AND credit_entry <= %s"
    with connection.cursor() as cursor:
        for query in (
            f"SELECT MAX(credit_entry) {where}",
            f"SELECT credit_entry, id {where} ORDER BY credit_entry DESC LIMIT 21",
        ):
            cursor.execute(f"EXPLAIN {query}", [account, 2**62])
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                print({k: v for k, v in zip(names, row, strict=True) if v is not None}, file=sys.stderr)


def main() -> None:
    """Prints the figures."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "mysql":
        raise SystemExit("Run it as: make bench BENCH=ledger (it needs the private MariaDB).")
    make_database(settings.DATABASES["default"])
    make_database({**settings.DATABASES["default"], "NAME": "hordak"})
    call_command("prepare", verbosity=0)
    fill()
    prepare_hordak()
    measure_posting()
    measure_reading()
    measure_audit()


if __name__ == "__main__":
    main()
