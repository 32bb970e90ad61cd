"""For tax staff: everything is read here and changed by services, with a reason."""

from __future__ import annotations
