"""Listings per second through real Celery workers, with one process and with two, and memory and CPU of each.

MariaDB, Redis and the storage are real, each run goes through request, task and rows as in service. The
same listings are asked about in every round; what was read from their photos is forgotten in between. On a
machine that does other work, too, only CPU and memory say something; rates need both cores to themselves.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from bench.browse import make_database, sign_in
from bench.figures import Figure
from bench.suggestions_photos import listing_uploads

LISTINGS = 8
ROUNDS = 2
TARGET_MEMORY_MB = 700.0
# Two processes on two cores, beside MariaDB, Redis and the worker's own parent.
TARGET_RATIO = 1.5
# CPU of a listing with one process, against with two: what they cost each other.
TARGET_CPU_RATIO = 0.8
PATIENCE_S = 240

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"


def main() -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["PRELOVED_HOME"] = home
        measure()


def measure() -> None:
    """Everything that needs the settings of a fresh home."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "mysql" or not settings.REDIS_URL:
        raise SystemExit("Run it as: make bench BENCH=suggestions_workers (it needs MariaDB and Redis).")
    make_database(settings.DATABASES["default"])
    call_command("prepare", verbosity=0)
    seller_id, _ = sign_in()
    listing_ids = make_listings(seller_id)
    rates: dict[int, list[float]] = defaultdict(list)
    cpu_s: dict[int, list[float]] = defaultdict(list)
    memory: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for processes in (1, 2):
            with worker(processes) as pid:
                # One listing for each process first, so that a start is not measured.
                performed(seller_id, listing_ids[:processes])
                children = children_of(pid)
                before = sum(map(cpu_of, children))
                rates[processes].append(performed(seller_id, listing_ids))
                cpu_s[processes].append((sum(map(cpu_of, children)) - before) / LISTINGS)
                for child in children:
                    for name, megabytes in memory_of(child).items():
                        memory[f"{name}_{processes}"].append(megabytes)
                memory["parent"].append(memory_of(pid)["rss"])
    one, two = statistics.median(rates[1]), statistics.median(rates[2])
    Figure("suggestions", "listings_1_process", one, "listings/s", "no peer", None, None).show()
    Figure(
        "suggestions", "listings_2_processes", two, "listings/s",
        f"one process: {one:.2f}/s on {os.cpu_count()} cores", two / one, TARGET_RATIO,
    ).show()  # fmt: skip
    cpu_one, cpu_two = statistics.median(cpu_s[1]), statistics.median(cpu_s[2])
    Figure(
        "suggestions", "cpu_of_a_listing_2_processes", cpu_two, "s",
        f"one process: {cpu_one:.2f} s", cpu_one / cpu_two, TARGET_CPU_RATIO,
    ).show()  # fmt: skip
    for name, of in (
        ("memory_of_a_process_rss", memory["rss_1"] + memory["rss_2"]),
        ("memory_of_one_of_two_pss", memory["pss_2"]),
        ("memory_of_the_parent_rss", memory["parent"]),
    ):
        most = max(of)
        limit = f"the design's {TARGET_MEMORY_MB:.0f} MB a worker"
        Figure("suggestions", name, most, "MB", limit, TARGET_MEMORY_MB / most, 1.0).show()


def make_listings(seller_id: str) -> list[str]:
    """Drafts with four photos each, ready."""
    from django.utils import timezone

    from listings import services

    chance = random.Random(11)
    made = []
    for _ in range(LISTINGS):
        draft = services.create_draft(seller_id=seller_id, now=timezone.now())
        for content in listing_uploads(chance):
            photo = services.add_photo(
                seller_id=seller_id,
                listing_id=draft.id,
                content=content,
                declared_type="image/jpeg",
                file_name=None,
                now=timezone.now(),
            )
            if services.process_photo(photo_id=photo.id, now=timezone.now()) != "ready":
                raise RuntimeError(f"photo {photo.id} is not ready")
        made.append(draft.id)
    return made


@contextlib.contextmanager
def worker(processes: int) -> Iterator[int]:
    """A Celery worker for suggestions; gives its process id."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "config", "worker", "--queues", "suggestions"),
        *("--concurrency", str(processes), "--loglevel", "ERROR", "--without-gossip", "--without-mingle"),
    ]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  # our own modules
    try:
        yield running.pid
    finally:
        running.terminate()
        running.wait(60)


def performed(seller_id: str, listing_ids: list[str]) -> float:
    """Listings per second from the first request until the last run has ended well."""
    from django.db.models import Count
    from django.utils import timezone

    from ai_suggestions import queries, services
    from ai_suggestions.lifecycle import LIVE, RunStatus
    from ai_suggestions.models import SuggestionRun

    services.forget_readings(now=timezone.now() + queries.KEEP_READINGS + timedelta(days=1))
    started = time.perf_counter()
    run_ids = [
        services.request_run(
            member_id=seller_id, listing_id=listing_id, provider="on_device", now=timezone.now()
        )[0].id
        for listing_id in listing_ids
    ]
    while time.perf_counter() - started < PATIENCE_S:
        runs = SuggestionRun.objects.filter(id__in=run_ids)
        statuses = dict(runs.values_list("status").annotate(Count("id")).order_by())
        if statuses == {RunStatus.SUCCEEDED: len(run_ids)}:
            return len(run_ids) / (time.perf_counter() - started)
        if set(statuses) - {*LIVE, RunStatus.SUCCEEDED}:
            raise RuntimeError(f"runs ended as {statuses}")
        time.sleep(0.05)
    raise RuntimeError(f"runs are {statuses} after {PATIENCE_S} s")


def children_of(pid: int) -> list[int]:
    """The processes that a worker has forked (Linux)."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> dict[str, float]:
    """Resident and proportional set size in MB (Linux): the latter shares out what processes share."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        if name in ("Rss", "Pss"):
            found[name.lower()] = int(rest.split()[0]) / 1024
    return found


if __name__ == "__main__":
    main()
