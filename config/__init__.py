"""Wiring only: settings, URLs, WSGI and Celery."""

from __future__ import annotations

# shared_task binds to this app in every process that imports Django.
from config.celery import app as celery_app

__all__ = ["celery_app"]
