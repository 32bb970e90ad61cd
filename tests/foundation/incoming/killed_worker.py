"""A worker process for tests: handles the test provider's next event, and may be killed over it.

python -m tests.foundation.incoming.killed_worker SUBJECT NOW [die]
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime

import django


def main(subject: str, now: str, *options: str) -> None:
    django.setup()
    from foundation.incoming import register
    from foundation.incoming.processing import process_next
    from tests.foundation.incoming.provider import source

    def note(event_id: str) -> None:
        if "die" in options:
            # The effect is written, the mark and the commit are not.
            os.kill(os.getpid(), signal.SIGKILL)

    register(source(note))
    done = process_next(source="pay/test", subject_id=subject, now=datetime.fromisoformat(now))
    sys.exit(0 if done else 3)


if __name__ == "__main__":
    main(*sys.argv[1:])
