"""Scenarios that must hold: one row each, posted to the real ledger and read back from it.

Those about messages and corrections are in test_filing_scenarios.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from balance.chart import Event
from balance.queries.sales import iter_sale_lines
from dac7.figures.activities import by_member
from dac7.figures.rates import Rate, RateTable
from dac7.figures.sellers import Decision, Notable, SellerFigures, Subject, figures_of
from dac7.quarters import year_bounds
from dac7.states import rules_of
from foundation.money import Money
from members.models import Member
from tests.factories.sales import sell, sell_many, take_back

pytestmark = pytest.mark.django_db

YEAR = 2025
RATES = RateTable(
    [Rate("PLN", date(YEAR, 2, 10), Decimal("4.2050")), Rate("PLN", date(YEAR, 2, 14), Decimal("4.1000"))]
)


def on(month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(YEAR, month, day, hour, minute, tzinfo=UTC)


def split(minor: int, parts: int, currency: str = "EUR") -> list[Money]:
    """An amount as so many sales."""
    return Money(minor, currency).allocate([1] * parts)


def figures(
    seller: Member, *, year: int = YEAR, state: str = "LT", subject: Subject | None = None
) -> SellerFigures:
    """As of five years later."""
    rules = rules_of(state, year)
    since, until = year_bounds(year, rules.time_zone)
    lines = iter_sale_lines(since=since, until=until, changes_until=until + timedelta(days=5 * 365))
    of = dict(by_member(lines)).get(seller.id, [])
    return figures_of(
        [seller.id], of, subject=subject or Subject((state,)), year=year, rules=rules, rates=RATES
    )


Story = Callable[[Member], object]


TENTH = on(2, 10)


def sales(minor: int, number: int, at: datetime = TENTH, currency: str = "EUR") -> Story:
    return lambda seller: sell_many(seller.id, split(minor, number, currency), at=at)


def refunded(
    minor: int,
    at: datetime,
    refund_at: datetime,
    refund_minor: int | None = None,
    *,
    currency: str = "EUR",
) -> Story:
    def story(seller: Member) -> None:
        reference = sell(seller.id, Money(minor, currency), at=at)
        take_back(seller.id, Money(refund_minor or minor, currency), reference=reference, at=refund_at)

    return story


def all_of(*stories: Story) -> Story:
    def story(seller: Member) -> None:
        for one in stories:
            one(seller)

    return story


def less_commission(minor: int, kept: int, number: int) -> Story:
    return lambda seller: sell_many(
        seller.id, split(minor, number), at=on(2, 10), commissions=split(kept, number)
    )


def fought_over(seller: Member) -> None:
    """Charged back, then won."""
    reference = sell(seller.id, Money(5000, "EUR"), at=on(3, 1))
    for event, at in ((Event.CHARGEBACK, on(6, 1)), (Event.CHARGEBACK_WON, on(8, 1))):
        take_back(seller.id, Money(5000, "EUR"), reference=reference, at=at, event=event)


def with_donation(seller: Member) -> None:
    price, gift = Money(2000, "EUR"), Money(200, "EUR")
    sell(seller.id, price, at=on(3, 1), donation=gift, charity_id="charity")


def of_bundles(orders: int, minor: int) -> Story:
    """Three items each: the ledger has one posting, whatever the parcel holds."""
    return sales(minor, orders)


@dataclass(frozen=True)
class Scenario:
    """``quarters`` are whole units and activities, from the first quarter; left out: not looked at."""

    name: str
    story: Story
    decision: Decision
    quarters: Sequence[tuple[int, int]] = ()
    state: str = "LT"
    year: int = YEAR
    euros: Fraction | None = None
    currency: str = "EUR"
    fees: int = 0
    subject: Subject | None = None
    warnings: tuple[Notable, ...] = field(default=())


SMALL, REPORTED = Decision.SMALL, Decision.REPORTED
SCENARIOS = [
    Scenario("29 sales, 2000.00", sales(200000, 29), SMALL, [(2000, 29)]),
    Scenario("29 sales, 2000.00 in Germany", sales(200000, 29), REPORTED, [(2000, 29)], state="DE"),
    Scenario("29 sales, 1999.99 in Germany", sales(199999, 29), SMALL, state="DE"),
    Scenario("29 sales, 2000.01", sales(200001, 29), REPORTED, [(2000, 29)]),
    Scenario("30 sales of 1.00", sales(3000, 30), REPORTED, [(30, 30)]),
    Scenario(
        "29 sales of 2100.00 less 105.00 commission",
        less_commission(210000, 10500, 29),
        SMALL,
        [(1995, 29)],
        fees=105,
    ),
    Scenario("29 orders of three items, 1500.00", of_bundles(29, 150000), SMALL, [(1500, 29)]),
    Scenario(
        "sold 30 March, credited 2 April",
        lambda seller: sell(seller.id, Money(5000, "EUR"), paid_at=on(3, 30), at=on(4, 2)),
        SMALL,
        [(0, 0), (50, 1)],
    ),
    Scenario(
        "credited 2025-12-31T23:30Z is 2026 in Vilnius",
        sales(5000, 1, at=on(12, 31, 23, 30)),
        SMALL,
        [(50, 1)],
        year=2026,
    ),
    Scenario(
        "credited 2025-12-31T23:30Z is not 2025 in Vilnius",
        sales(5000, 1, at=on(12, 31, 23, 30)),
        Decision.NO_ACTIVITY,
        [(0, 0)] * 4,
    ),
    Scenario(
        "credited 2025-03-31T21:30Z is the second quarter in Vilnius, which has summer time",
        sales(5000, 1, at=on(3, 31, 21, 30)),
        SMALL,
        [(0, 0), (50, 1), (0, 0), (0, 0)],
    ),
    Scenario(
        "credited 2025-03-31T21:30Z is the first quarter in Lisbon",
        sales(5000, 1, at=on(3, 31, 21, 30)),
        SMALL,
        [(50, 1), (0, 0), (0, 0), (0, 0)],
        state="PT",
    ),
    Scenario(
        "credited on 29 February",
        sales(5000, 1, at=datetime(2024, 2, 29, 23, tzinfo=UTC)),
        SMALL,
        [(50, 1), (0, 0), (0, 0), (0, 0)],
        year=2024,
    ),
    Scenario(
        "120.00 on 20 March, refunded 10 April",
        refunded(12000, on(3, 20), on(4, 10)),
        Decision.NO_ACTIVITY,
        [(0, 0)] * 4,
    ),
    Scenario(
        "refunded in the next year",
        refunded(12000, on(3, 20), datetime(2026, 2, 1, tzinfo=UTC), 2000),
        SMALL,
        [(100, 1), (0, 0), (0, 0), (0, 0)],
    ),
    Scenario(
        "nothing of that in the next year",
        refunded(12000, on(3, 20), datetime(2026, 2, 1, tzinfo=UTC)),
        Decision.NO_ACTIVITY,
        [(0, 0)] * 4,
        year=2026,
    ),
    Scenario(
        "29 sales of 8410.00 PLN at 4.2050",
        sales(841000, 29, currency="PLN"),
        SMALL,
        [(8410, 29)],
        euros=Fraction(2000),
        currency="PLN",
    ),
    Scenario(
        "29 sales of 8410.01 PLN at 4.2050",
        sales(841001, 29, currency="PLN"),
        REPORTED,
        [(8410, 29)],
        currency="PLN",
    ),
    Scenario(
        "at the weekend the rate of Friday counts",
        sales(41000, 1, at=on(2, 16), currency="PLN"),
        SMALL,
        euros=Fraction(100),
        currency="PLN",
    ),
    Scenario(
        "quarters of 10.49, 10.50, 0, 0.40",
        all_of(sales(1049, 1, on(1, 5)), sales(1050, 1, on(4, 5)), sales(40, 1, on(10, 5))),
        SMALL,
        [(10, 1), (11, 1), (0, 0), (0, 1)],
        warnings=(Notable.ROUNDS_TO_ZERO,),
    ),
    Scenario("3 sales of 33.50", sales(10050, 3), SMALL, [(101, 3)]),
    Scenario("a government's", sales(3000, 30), Decision.GOVERNMENT, subject=Subject(("LT",), "government")),
    Scenario("a listed company's", sales(3000, 30), Decision.LISTED, subject=Subject(("LT",), "listed")),
    Scenario(
        "a listed company's daughter's",
        sales(3000, 30),
        Decision.RELATED_TO_LISTED,
        subject=Subject(("LT",), "related_to_listed"),
    ),
    Scenario(
        "a Briton at a Lithuanian operator",
        sales(3000, 30),
        Decision.RESIDENT_ELSEWHERE,
        subject=Subject(("GB",)),
    ),
    Scenario("a Briton at a Dutch operator", sales(3000, 30), REPORTED, state="NL", subject=Subject(("GB",))),
    Scenario("a Briton who is Estonian too", sales(3000, 30), REPORTED, subject=Subject(("GB", "EE"))),
    Scenario("a donation is the seller's", with_donation, SMALL, [(20, 1)]),
    Scenario("charged back and won", fought_over, SMALL, [(50, 1)]),
    Scenario(
        "a quarter of two currencies is in the residence state's",
        all_of(sales(4205, 1, currency="PLN"), sales(1000, 1, on(2, 11))),
        SMALL,
        [(20, 2)],
        euros=Fraction(20),
        warnings=(Notable.MIXED_CURRENCIES,),
    ),
    Scenario(
        "a quarter of two currencies of somebody resident in Poland is in zlotys",
        all_of(sales(4205, 1, currency="PLN"), sales(1000, 1, on(2, 11))),
        SMALL,
        [(84, 2)],  # 42.05 and 10.00 at 4.2050
        euros=Fraction(20),
        currency="PLN",
        subject=Subject(("PL",)),
        warnings=(Notable.MIXED_CURRENCIES,),
    ),
    Scenario(
        "a quarter of two currencies of somebody resident in Poland and Lithuania is in euros",
        all_of(sales(4205, 1, currency="PLN"), sales(1000, 1, on(2, 11))),
        SMALL,
        [(20, 2)],
        subject=Subject(("LT", "PL")),
        warnings=(Notable.MIXED_CURRENCIES,),
    ),
    Scenario(
        "a sale in zlotys taken back whole leaves its quarter in euros",
        all_of(
            sales(1000, 2),
            refunded(4205, on(2, 11), on(5, 1), currency="PLN"),
        ),
        SMALL,
        [(10, 2), (0, 0)],
        subject=Subject(("PL",)),
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_holds(scenario: Scenario, seller: Member) -> None:
    scenario.story(seller)
    found = figures(seller, year=scenario.year, state=scenario.state, subject=scenario.subject)
    assert found.decision is scenario.decision
    seen = [(one.consideration, one.activities) for one in found.quarters]
    assert seen[: len(scenario.quarters)] == list(scenario.quarters)
    looked_at = found.quarters[: len(scenario.quarters) or None]
    assert {one.currency for one in looked_at} == {scenario.currency}
    assert sum(one.fees for one in found.quarters) == scenario.fees
    assert scenario.euros in (None, found.euros)
    assert found.warnings == scenario.warnings
