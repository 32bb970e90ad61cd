from __future__ import annotations

import json
import resource
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from balance.models import AuditFinding
from balance.services import control
from foundation import clock


class Command(BaseCommand):
    help = (
        "Seal the days that are over, recompute every member's balance from the transfers and every sealed "
        "day's hash, and print what was found as JSON. Accounts that are off are frozen, and the status is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option."""
        parser.add_argument("--no-chain", action="store_true", help="leave the sealed days alone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object."""
        started = time.monotonic()
        sealed = control.seal_days(now=clock.now())
        runs = [control.audit(now=clock.now())]
        if not options["no_chain"]:
            runs.append(control.verify_chain(now=clock.now()))
        findings = AuditFinding.objects.filter(run__in=runs).order_by("id")
        report = {
            "accounts": sum(run.accounts for run in runs),
            "transfers": runs[0].transfers,
            "days_sealed": len(sealed),
            "seconds": round(time.monotonic() - started, 2),
            "peak_mb": _peak_mb(),
            "findings": list(findings.values("kind", "subject", "expected", "found")),
        }
        self.stdout.write(json.dumps(report))
        if any(run.findings for run in runs):
            sys.exit(1)


def _peak_mb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))
