"""Celery: tasks are doorbells, rows carry the work (docs/adr/0004)."""

from __future__ import annotations

import os
from typing import Any

import structlog
from celery import Celery, signals
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("preloved")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Connecting anything here stops Celery from installing its own log handlers."""


@signals.before_task_publish.connect
def send_request_id(headers: dict[str, Any], **_: Any) -> None:
    """A task logs under the id of the request that rang for it."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        headers["request_id"] = request_id


@signals.task_prerun.connect
def bind_task(task_id: str, task: Any, **_: Any) -> None:
    """Every line a task logs names the task and the request that rang."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)
    if request_id := getattr(task.request, "request_id", None):
        structlog.contextvars.bind_contextvars(request_id=request_id)


@signals.worker_ready.connect
def serve_metrics(**_: Any) -> None:
    """With WORKER_METRICS_PORT the worker answers Prometheus itself; else the web process of the same
    machine shows its figures, through the shared PROMETHEUS_MULTIPROC_DIR.
    """
    if settings.WORKER_METRICS_PORT:
        from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
        from prometheus_client.multiprocess import MultiProcessCollector

        registry: CollectorRegistry = REGISTRY
        if settings.METRICS_DIR:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=settings.METRICS_DIR)  # type: ignore[no-untyped-call]
        start_http_server(settings.WORKER_METRICS_PORT, registry=registry)


@signals.worker_process_shutdown.connect
def forget_dead_process(pid: int, **_: Any) -> None:
    """Gauges of a child that ended are no longer counted."""
    if settings.METRICS_DIR:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
