"""The bank test: is every transfer that was acknowledged there exactly once, whatever is killed?

`python -m tests.bank [SECONDS] [WORKERS]` starts a MariaDB with durable commits and a Redis of its own, lets
processes move money between members, and meanwhile kills workers with -9, drops connections, kills and
restarts the database and empties Redis. Then it counts, and prints one JSON object; status 1 if a promise
was broken.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from tests import server_template
from tests.servers.databases import DatabaseServer, mariadb_server, redis
from tests.servers.processes import ServerUnavailable

MEMBERS = 20
START_MINOR = 10_000


@dataclass
class Report:
    """What was done to it, what the workers wrote down, and what the ledger says. The last ones must be 0."""

    seconds: float = 0
    workers_killed: int = 0
    connections_dropped: int = 0
    database_restarts: int = 0
    redis_flushed: int = 0
    asked: int = 0
    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    unanswered_but_done: int = 0
    acknowledged_but_missing: int = 0
    acknowledged_but_different: int = 0
    refused_but_done: int = 0
    done_twice: int = 0
    asked_by_nobody: int = 0
    accounts_off_their_sum: int = 0
    accounts_below_zero: int = 0
    cents_off: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept, and something happened at all."""
        broken = (
            self.acknowledged_but_missing,
            self.acknowledged_but_different,
            self.refused_but_done,
            self.done_twice,
            self.asked_by_nobody,
            self.accounts_off_their_sum,
            self.accounts_below_zero,
            self.cents_off,
        )
        return not any(broken) and self.acknowledged > 0


class Workers:
    """Processes that transfer; each has a file of its own, also after it was killed."""

    def __init__(self, folder: Path, count: int, members: list[str]) -> None:
        from tests.bank.worker import transfer

        self.folder = folder
        self.members = members
        self.transfer = transfer
        self.started = 0
        self.processes = [self._start() for _ in range(count)]

    def _start(self) -> ForkProcess:
        # Forked from a process that has everything imported and no connection open: back at once.
        self.started += 1
        path = self.folder / f"{self.started}.log"
        process = get_context("fork").Process(target=self.transfer, args=(path, self.members))
        process.start()
        return process

    def kill_one(self) -> None:
        number = random.randrange(len(self.processes))
        self.processes[number].kill()
        self.processes[number].join()
        self.processes[number] = self._start()

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.join(60)


def open_accounts() -> list[str]:
    """The tables, and members with a hundred euros each; gives their ids."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from bench.browse import make_database
    from tests.factories.members import make_member
    from tests.factories.money import give

    server = settings.DATABASES["default"]
    if not server_template.lay_out(server, server["NAME"]):
        make_database(server)
        call_command("migrate", verbosity=0)
    members = [str(make_member(f"M{number}").id) for number in range(MEMBERS)]
    for member in members:
        give(member, START_MINOR)
    connection.close()
    return members


def trouble(server: DatabaseServer, redis_url: str, workers: Workers, report: Report, seconds: float) -> None:
    """Make it, until the time is up."""
    import MySQLdb
    from redis import Redis

    ends_at = time.monotonic() + seconds
    restart_at = time.monotonic() + seconds / 3
    while time.monotonic() < ends_at:
        time.sleep(random.uniform(0.2, 0.8))
        if time.monotonic() > restart_at:
            server.kill()
            time.sleep(0.2)
            server.start()
            report.database_restarts += 1
            restart_at = time.monotonic() + seconds / 3
            continue
        kind = random.choice(["worker", "worker", "connections", "redis"])
        if kind == "worker":
            workers.kill_one()
            report.workers_killed += 1
        elif kind == "redis":
            Redis.from_url(redis_url).flushall()
            report.redis_flushed += 1
        else:
            connection = MySQLdb.connect(host="127.0.0.1", port=server.port, user="root")
            cursor = connection.cursor()
            cursor.execute("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()")
            for (number,) in cursor.fetchall():
                try:
                    cursor.execute(f"KILL {int(number)}")
                    report.connections_dropped += 1
                except MySQLdb.OperationalError:
                    continue  # it was gone already
            connection.close()


def count(server: DatabaseServer, folder: Path, report: Report) -> None:
    """Compare what the workers wrote down with what the ledger holds, by plain SQL."""
    import MySQLdb

    asked: dict[str, tuple[str, str, int]] = {}
    answers: dict[str, str] = {}
    for path in folder.glob("*.log"):
        for line in path.read_text().splitlines():
            mark, key, *rest = line.split()
            if mark == "I":
                asked[key] = (rest[0], rest[1], int(rest[2]))
            else:
                answers[key] = mark
    connection = MySQLdb.connect(host="127.0.0.1", port=server.port, user="root", database="preloved")
    cursor = connection.cursor()
    cursor.execute(
        "SELECT p.`key`, t.debit_account_id, t.credit_account_id, t.amount_minor FROM balance_posting p"
        " JOIN balance_transfer t ON t.posting_id = p.id WHERE p.`key` LIKE 'bank:%'"
    )
    found: dict[str, tuple[str, str, int]] = {}
    times: Counter[str] = Counter()
    for key, debit, credit, minor in cursor.fetchall():
        times[key] += 1
        found[key] = (debit.split(":")[0], credit.split(":")[0], minor)
    report.asked = len(asked)
    report.acknowledged = sum(mark == "A" for mark in answers.values())
    report.refused = sum(mark == "R" for mark in answers.values())
    report.unanswered = len(asked) - len(answers)
    report.unanswered_but_done = sum(key in found for key in asked.keys() - answers.keys())
    report.acknowledged_but_missing = sum(m == "A" and k not in found for k, m in answers.items())
    report.acknowledged_but_different = sum(
        m == "A" and k in found and found[k] != asked[k] for k, m in answers.items()
    )
    report.refused_but_done = sum(m == "R" and k in found for k, m in answers.items())
    report.done_twice = sum(number > 1 for number in times.values())
    report.asked_by_nobody = len(found.keys() - asked.keys())
    _count_accounts(cursor, report)
    connection.close()


def _count_accounts(cursor: Any, report: Report) -> None:
    sums: Counter[str] = Counter()
    cursor.execute("SELECT debit_account_id, credit_account_id, amount_minor FROM balance_transfer")
    for debit, credit, minor in cursor.fetchall():
        sums[debit] -= minor
        sums[credit] += minor
    cursor.execute("SELECT id, balance_minor FROM balance_ledgeraccount WHERE balance_minor IS NOT NULL")
    accounts = dict(cursor.fetchall())
    report.accounts_off_their_sum = sum(sums[id_] != minor for id_, minor in accounts.items())
    report.accounts_below_zero = sum(minor < 0 for minor in accounts.values())
    report.cents_off = abs(sum(accounts.values()) - MEMBERS * START_MINOR)


def run(seconds: float, workers: int) -> Report:
    """The whole test. Raises ServerUnavailable."""
    report = Report(seconds=seconds)
    with (
        tempfile.TemporaryDirectory(prefix="preloved-bank-") as name,
        mariadb_server(durable=True) as server,
        redis() as redis_url,
    ):
        os.environ.update(
            DJANGO_SETTINGS_MODULE="config.settings",
            PRELOVED_HOME=name,
            DATABASE_URL=server.url,
            REDIS_URL=redis_url,
            LOG_LEVEL="ERROR",
        )
        os.environ[server_template.PRIVATE] = "1"
        members = open_accounts()
        logs = Path(name) / "logs"
        logs.mkdir()
        working = Workers(logs, workers, members)
        try:
            trouble(server, redis_url, working, report, seconds)
        finally:
            working.stop()
        count(server, logs, report)
    return report


def main() -> int:
    """Run it and print the report."""
    seconds, workers = [*map(int, sys.argv[1:3]), *(30, 8)[len(sys.argv) - 1 :]]
    try:
        report = run(seconds, workers)
    except ServerUnavailable as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({**asdict(report), "kept": report.is_kept}))
    return 0 if report.is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
