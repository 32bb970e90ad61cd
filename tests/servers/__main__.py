"""Run a command, or the whole suite, beside private servers.

python -m tests.servers run [--mariadb] [--durable] [--redis] -- COMMAND...    with DATABASE_URL and REDIS_URL
python -m tests.servers suite [PYTEST ARGUMENTS...]                what `make test` does

The settings read the environment once, at import; so the servers stand before any process imports Django.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.server_template import PRIVATE
from tests.servers.databases import REPOSITORY, mariadb, redis
from tests.servers.processes import ServerUnavailable

# pytest's exit statuses; a narrow selection may hold no test for one of the rounds.
PASSED, NOTHING_SELECTED = 0, 5

NOTHING = "no test selected"


@dataclass(frozen=True)
class Round:
    """One pass of pytest: on what, and how it ended."""

    title: str
    outcome: str
    failed: bool
    seconds: float = 0.0


def servers_are_required() -> bool:
    """Whether a missing server fails the run (CI) instead of being reported."""
    return os.environ.get("PRELOVED_REQUIRE_SERVERS", "") not in ("", "0")


def with_compiled_modules(environment: Mapping[str, str]) -> dict[str, str]:
    """The same, but modules that each process would compile anew, as container images ask, are kept in var/.

    The suite starts dozens of processes, and each would spend seconds on it.
    """
    kept = dict(environment)
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        kept.setdefault("PYTHONPYCACHEPREFIX", str(REPOSITORY / "var" / "bytecode"))
    return kept


def run_beside_servers(
    command: Sequence[str], *, with_mariadb: bool, with_redis: bool, durable: bool = False
) -> int:
    """The command's exit status; raises ServerUnavailable when a server cannot be started."""
    environment = with_compiled_modules(os.environ)
    with contextlib.ExitStack() as stack:
        if with_mariadb:
            environment["DATABASE_URL"] = stack.enter_context(mariadb(durable=durable))
            environment[PRIVATE] = "1"
        if with_redis:
            environment["REDIS_URL"] = stack.enter_context(redis())
        return subprocess.run(list(command), cwd=REPOSITORY, env=environment, check=False).returncode


def _round(title: str, arguments: Sequence[str], *, with_mariadb: bool, with_redis: bool) -> Round:
    workers = os.environ.get("TEST_WORKERS", "2")
    parallel = ["-n", workers, "--dist", "worksteal"] if workers != "0" else []
    command = [sys.executable, "-m", "pytest", *parallel, *arguments]
    print(f"\n=== {title} ===", flush=True)
    started = time.monotonic()
    try:
        status = run_beside_servers(command, with_mariadb=with_mariadb, with_redis=with_redis)
    except ServerUnavailable as reason:
        return Round(title, f"NOT RUN: {reason}", failed=servers_are_required())
    seconds = time.monotonic() - started
    if status == PASSED:
        return Round(title, "passed", failed=False, seconds=seconds)
    if status == NOTHING_SELECTED:
        return Round(title, NOTHING, failed=False)
    return Round(title, f"FAILED (pytest's exit status {status})", failed=True, seconds=seconds)


def suite(arguments: Sequence[str]) -> int:
    """Run the suite as far as this machine can, say plainly what was not run, and give the exit status."""
    rounds = []
    if url := os.environ.get("DATABASE_URL"):
        # A server of the developer's choice, for example a real MySQL: one round on it is the whole request.
        engine = url.partition(":")[0]
        own_redis = "REDIS_URL" not in os.environ
        rounds.append(
            _round(
                f"the suite on {engine} of DATABASE_URL", arguments, with_mariadb=False, with_redis=own_redis
            )
        )
    else:
        rounds.append(
            _round("the suite on SQLite, no server", arguments, with_mariadb=False, with_redis=False)
        )
        again = servers_are_required() or "TEST_TWICE" in os.environ
        title = "on MariaDB and Redis: " + (
            "everything that touches them, again"
            if again
            else "what needs them (make test TWICE=1: all that touches them, as CI does)"
        )
        rounds.append(
            _round(
                title,
                [f"--second-round={'again' if again else 'needed'}", *arguments],
                with_mariadb=True,
                with_redis=True,
            )
        )
    print("\n=== Summary ===")
    for done in rounds:
        took = f" in {done.seconds:.0f} s" if done.seconds else ""
        print(f"{done.title}: {done.outcome}{took}")
    print("Skipped tests, if any, are listed with their reasons above each round's last line.")
    nothing_at_all = all(done.outcome == NOTHING for done in rounds)
    return 1 if nothing_at_all or any(done.failed for done in rounds) else 0


def main(arguments: Sequence[str]) -> int:
    """Dispatch the two commands."""
    match list(arguments):
        case ["suite", *rest]:
            return suite(rest)
        case ["run", *rest] if "--" in rest:
            split = rest.index("--")
            options, command = set(rest[:split]), rest[split + 1 :]
            unknown = options - {"--mariadb", "--durable", "--redis"}
            if not unknown and command:
                try:
                    return run_beside_servers(
                        command,
                        with_mariadb="--mariadb" in options,
                        with_redis="--redis" in options,
                        durable="--durable" in options,
                    )
                except ServerUnavailable as reason:
                    print(reason, file=sys.stderr)
                    return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
