"""Doorbells: each makes one service call, and is safe to ring twice."""

from __future__ import annotations
