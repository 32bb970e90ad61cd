"""The web process: a few processes, each with threads, because most of a request is waiting for the database.

Started by `manage.py serve` (embedded default) and by docker-compose.yml with the same file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

bind = os.environ.get("BIND") or "127.0.0.1:8000"
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES") or 2)
# More than WAIT_SLOTS (8), so that clients who wait for a run never keep the others from being served.
threads = int(os.environ.get("WEB_THREADS") or 16)

# A request may wait 20 s (Prefer: wait) and an upload over a phone's line takes its time.
timeout = 60
graceful_timeout = 25
# Above the proxy's, so that it is the proxy that closes idle connections (ops/nginx.conf: 60 s).
keepalive = 75

# Fresh processes now and then bound what a slow leak can cost; the jitter keeps them from going together.
max_requests = 20_000
max_requests_jitter = 2_000

# The heartbeat file on a disk can block; memory where the system has it.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112  # gunicorn's own default otherwise

# Its default is a socket in the home folder; nothing here uses it.
control_socket_disable = True
limit_request_line = 8190
limit_request_field_size = 8190
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"

# The service logs one structured line per request itself (foundation.middleware).
accesslog = None
errorlog = "-"


def child_exit(server: Arbiter, worker: Worker) -> None:
    """Gauges of a process that is gone must not be added up any more."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
