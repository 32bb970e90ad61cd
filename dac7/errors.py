"""What may go wrong here, as facts with a stable code."""

from __future__ import annotations
