"""The verbs of the balance."""

from __future__ import annotations
