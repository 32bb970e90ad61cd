"""Members with sales. Imports are inside: pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from members.models import Member


@pytest.fixture
def seller(db: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Ona")
