"""Compiling the filing of a year from the ledger: what a seller costs, few against many, and the memory.

The worker's two steps: compiling (figures from the ledger, frozen; records; the XML laid out in files) and
validating (the files written again, checked against schema and rules). Called by bench.dac7;
`python -m bench.dac7_compile fill|compile NUMBER` are its processes, so that each has a memory of its own.
Every seller has a tax profile and 30 sales of 70.00 (one posting and one transfer each), spread over the
year. DAC7_BENCH_SELLERS says how many the many are.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

from bench.figures import Figure

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"

YEAR = 2025
SALES = 30
PRICE = 7_000
FEW, MANY = 10_000, int(os.environ.get("DAC7_BENCH_SELLERS", "200000"))
BATCH = 2_000
# Bytes, more than the tables: otherwise the many measure the disk. The tests' server has 128 MB.
BUFFER_POOL = 10 * 2**30
FIRST = datetime(YEAR, 1, 5, tzinfo=UTC)
BETWEEN = timedelta(days=11)  # one sale and the next of a seller
STEP = 7_919  # a prime: who sells next is nobody's neighbour in the order of ids


def fill(known: int, number: int) -> None:
    """Sellers from ``known`` to ``number``, with accounts, profiles and sales."""
    from django.db import connection

    _fill_sellers(known, number)
    with connection.cursor() as cursor:
        cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
        for place in range(SALES):
            _fill_sales(cursor, known, number, place)
        cursor.execute("ANALYZE TABLE balance_transfer, balance_posting, balance_ledgeraccount")
        cursor.fetchall()


def _fill_sellers(known: int, number: int) -> None:
    from balance.chart import AccountKind, of_member
    from balance.models import LedgerAccount
    from dac7.models import TaxNumber, TaxProfile
    from members.models import Member

    for start in range(known, number, BATCH):
        numbers = range(start, min(start + BATCH, number))
        members = [
            Member(
                id=f"01J{place:023d}",
                email=f"s{place}@bench.example",
                display_name=f"S{place}",
                market_id="LT",
                language="lt",
                locale="lt-LT",
                time_zone="Europe/Vilnius",
                password="!",  # noqa: S106  # nobody signs in
            )
            for place in numbers
        ]
        Member.objects.bulk_create(members)
        LedgerAccount.objects.bulk_create(
            [
                LedgerAccount(
                    id=of_member(member.id, kind, "EUR").id,
                    member_id=member.id,
                    kind=kind.value,
                    currency="EUR",
                    balance_minor=0,
                    opened_at=FIRST,
                )
                for member in members
                for kind in (AccountKind.PENDING, AccountKind.AVAILABLE)
            ]
        )
        profiles = [
            TaxProfile(
                member_id=member.id,
                entity_type="individual",
                first_name="Ona",
                last_name=f"Kazlauskienė {place}",
                birth_date="1990-04-01",
                street="Gedimino pr. 1",
                postal_code="01103",
                city="Vilnius",
                country="LT",
                given_at=FIRST,
                changed_at=FIRST,
                kept_for_year=YEAR,
            )
            for place, member in zip(numbers, members, strict=True)
        ]
        TaxProfile.objects.bulk_create(profiles)
        TaxNumber.objects.bulk_create(
            [
                TaxNumber(
                    profile=profile,
                    state="LT",
                    number=f"{place:011d}",
                    ending=f"{place % 1000:03d}",
                    level="checksum",
                    checked_at=FIRST,
                    checked_by="bench",
                )
                for place, profile in zip(numbers, profiles, strict=True)
            ]
        )


def _fill_sales(cursor: object, known: int, number: int, place: int) -> None:
    """The ``place``-th sale of each: one posting, one transfer."""
    from balance.moments import entry_number

    fresh = number - known
    at = FIRST + place * BETWEEN
    who = f"LPAD({known} + (seq * {STEP}) MOD {fresh}, 23, '0')"
    posting = f"CONCAT('{place:02d}', LPAD({known} + seq, 24, '0'))"
    when = f"TIMESTAMPADD(MICROSECOND, {known} + seq, '{at:%Y-%m-%d %H:%M:%S}')"
    source = f"FROM seq_0_to_{fresh - 1}"
    entry = f"{entry_number(at)} + ({known} + seq) * 1000"
    execute = cursor.execute  # type: ignore[attr-defined]
    execute(
        "INSERT INTO balance_posting (id, `key`, event, reference, fingerprint, actor, reason, effective_at,"
        f" recorded_at) SELECT {posting}, CONCAT('order:', {posting}, ':completed'), 'sale_completed',"
        f" CONCAT('order:', {posting}), '', 'system', '', {when}, {when} {source}"
    )
    execute(
        "INSERT INTO balance_transfer (id, posting_id, position, debit_account_id, credit_account_id,"
        " currency, amount_minor, debit_entry, debit_balance_minor, credit_entry, credit_balance_minor)"
        f" SELECT CONCAT({posting}, '-1'), {posting}, 1, CONCAT('01J', {who}, ':pending:EUR'),"
        f" CONCAT('01J', {who}, ':available:EUR'), 'EUR', {PRICE}, {entry}, 0, {entry}, {PRICE * (place + 1)}"
        f" {source}"
    )


def compile_year(number: int) -> None:
    """Compile and check everybody's filing as a worker does, and print what each of the two took."""
    from dac7.models.filings import FilingMessage
    from dac7.services.approving import reopen_filing
    from dac7.services.compiling import compile_filing, open_filing
    from dac7.services.figuring import reported_sellers
    from dac7.services.validating import validate_filing

    now = datetime(YEAR + 1, 1, 10, tzinfo=UTC)
    filing_id = open_filing(year=YEAR, by="bench", reason="benchmark", now=now)
    took: dict[str, dict[str, float]] = {}
    with _measured(took, "compile"):
        compile_filing(filing_id=filing_id, source=reported_sellers, now=now)
    with _measured(took, "validate"):
        status = validate_filing(filing_id=filing_id, now=now)
    messages = FilingMessage.objects.filter(filing_id=filing_id).values_list("seller_count", "byte_count")
    written, size = (sum(column) for column in zip(*messages, strict=True))
    assert (written, status) == (number, "validated"), f"{written} sellers, not {number}; {status}"
    reopen_filing(filing_id=filing_id, staff_id="bench", reason="benchmark", now=now)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**took, "peak_mb": peak_mb, "bytes": size}))


@contextmanager
def _measured(took: dict[str, dict[str, float]], name: str) -> Iterator[None]:
    started, cpu, servers = time.perf_counter(), time.process_time(), _servers_cpu()
    yield
    took[name] = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "servers": _servers_cpu() - servers,
    }


def _servers_cpu() -> float:
    """Seconds of CPU that the database server, which is on this machine, has used so far."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT @@pid_file")
        pid = Path(cursor.fetchone()[0]).read_text().strip()
    # proc(5): utime and stime are fields 14 and 15; the name before them may hold spaces.
    times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(int(ticks) for ticks in times) / os.sysconf("SC_CLK_TCK")


def _process(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.dac7_compile", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603  # our own


def measure(*, few: int = FEW, many: int = MANY) -> None:
    """Prints the figures; the database is migrated and holds the markets."""
    took: dict[int, Any] = {}
    known = 0
    for number in (few, many):
        _process("fill", str(known), str(number))
        took[number] = json.loads(_process("compile", str(number)).splitlines()[-1])
        known = number
    one, other = took[few], took[many]
    for stage in ("compile", "validate"):
        whole, small = other[stage], one[stage]
        rows = f"{many * SALES} ledger rows" if stage == "compile" else f"{other['bytes']} bytes of XML"
        Figure(
            "dac7",
            stage,
            many / whole["seconds"],
            "sellers/s",
            f"{rows} in {whole['seconds']:.0f} s; CPU: {whole['cpu']:.0f} s of this process,"
            f" {whole['servers']:.0f} s of the server; {few} sellers took {small['seconds']:.0f} s",
            None,
            None,
        ).show()
        # In CPU time, of which neighbours take little: elapsed, the same run differed by a factor of four.
        cost = {n: (took[n][stage]["cpu"] + took[n][stage]["servers"]) / n for n in (few, many)}
        Figure(
            "dac7",
            f"{stage}_cost_per_seller",
            cost[many] * 1e6,
            "µs",
            f"CPU of process and server, of {few} sellers: {cost[few] * 1e6:.0f} µs",
            cost[few] / cost[many],
            1 / 1.2,
        ).show()
    Figure(
        "dac7",
        "compile_peak_memory",
        other["peak_mb"],
        "MB",
        f"of {few} sellers: {one['peak_mb']:.0f} MB",
        one["peak_mb"] / other["peak_mb"],
        1 / 1.2,
    ).show()


def main(arguments: list[str]) -> None:
    """``fill KNOWN NUMBER``, ``compile NUMBER``, or ``measure [FEW MANY]`` in an empty database."""
    django.setup()
    verb, numbers = arguments[0], [int(text) for text in arguments[1:]]
    if verb == "measure":
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connection

        from bench.browse import make_database

        if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.mysql":
            raise SystemExit("Run it as: make bench BENCH=dac7 (it needs the private MariaDB).")
        make_database(settings.DATABASES["default"])
        call_command("prepare", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {BUFFER_POOL}")
        measure(**dict(zip(("few", "many"), numbers, strict=False)))
    elif verb == "fill":
        fill(*numbers)
    else:
        compile_year(*numbers)


if __name__ == "__main__":
    main(sys.argv[1:])
