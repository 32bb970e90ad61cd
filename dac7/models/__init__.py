"""The tables of dac7."""

from __future__ import annotations
