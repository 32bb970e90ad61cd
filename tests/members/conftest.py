"""The members of these tests. Imports are inside: pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from members.models import Member
    from tests.members.visitor import Visitor


@pytest.fixture
def markets(db: None) -> None:
    """Two euro markets, one with another currency, one that is closed."""
    from tests.factories.members import make_market

    for code in ("LT", "DE", "PL", "UA"):
        make_market(code)


@pytest.fixture
def stranger(markets: None) -> Visitor:
    from tests.members.visitor import Visitor

    return Visitor()


@pytest.fixture
def ona(markets: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Ona", email="ona@example.test")


@pytest.fixture
def piotr(markets: None) -> Member:
    from tests.factories.members import make_member

    return make_member("Piotr", email="piotr@example.test", country="PL")


@pytest.fixture
def as_ona(ona: Member) -> Visitor:
    return _signed_in("ona@example.test")


@pytest.fixture
def as_piotr(piotr: Member) -> Visitor:
    return _signed_in("piotr@example.test")


def _signed_in(email: str) -> Visitor:
    from tests.members.visitor import Visitor

    visitor = Visitor()
    assert visitor.sign_in(email).status_code == 200
    return visitor
