"""`python -m bench [NAME ...]`: run benchmarks, one JSON line per figure.

Those that need servers run beside a private MariaDB with durable commits and Redis, which the launcher of
the tests starts; each benchmark is a process of its own.
"""

from __future__ import annotations

import subprocess
import sys

# name -> the private servers that it needs
BENCHES: dict[str, tuple[str, ...]] = {
    "browse": ("--mariadb", "--durable"),
    "dac7": ("--mariadb", "--durable"),
    "ledger": ("--mariadb", "--durable"),
    "orders": ("--mariadb", "--durable", "--redis"),
    "photos": (),
    "suggestions": (),
    "suggestions_llm": (),
    "suggestions_workers": ("--mariadb", "--durable", "--redis"),
}


def main(names: list[str]) -> int:
    """0 when every benchmark ran; figures below their target are shown, not failed on: machines differ."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(
            f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHES)}.",
            file=sys.stderr,
        )
        return 2
    failed = []
    for name in names or BENCHES:
        command = [sys.executable, "-m", f"bench.{name}"]
        if servers := BENCHES[name]:
            command = [sys.executable, "-m", "tests.servers", "run", *servers, "--", *command]
        if subprocess.run(command, check=False).returncode:  # noqa: S603  # our own modules
            failed.append(name)
    if failed:
        print(f"Did not run to its end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
