"""A worker process for tests: sends a withdrawal, and may be killed before or after the bank has it.

python -m tests.balance.killed_payer WITHDRAWAL NOW [before|after]
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime

import django


def main(withdrawal_id: str, now: str, death: str = "") -> None:
    django.setup()
    from balance.providers import PROVIDERS
    from balance.providers.contract import PayoutOrder, PayoutReport
    from balance.providers.sandbox import SandboxBank
    from balance.services.sending import advance_withdrawal

    class DeadlyBank(SandboxBank):
        def send(self, order: PayoutOrder, *, now: datetime) -> PayoutReport:
            if death == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            report = super().send(order, now=now)
            if death == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return report

    PROVIDERS["sandbox"] = DeadlyBank
    advance_withdrawal(withdrawal_id=withdrawal_id, now=datetime.fromisoformat(now))


if __name__ == "__main__":
    main(*sys.argv[1:])
