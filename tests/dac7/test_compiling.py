"""Freezing the figures of a filing: exact against the ledger, explained, the same from the same data."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from balance.chart import Event
from balance.models import Posting
from balance.queries.sales import SalePart, iter_sale_lines, sale_totals
from balance.services.posting import reverse
from dac7 import states
from dac7.errors.figures import ExchangeRateMissing, FiguresDoNotAddUp
from dac7.message.records import Quarter
from dac7.models import AccessLog, Compilation, ExchangeRate, FrozenSeller, FrozenTotal
from dac7.profile_rules import GivenTin
from dac7.quarters import year_bounds
from dac7.queries import figures as queries
from dac7.services import figuring
from dac7.services.diligence import information_given
from dac7.services.figuring import reported_sellers
from dac7.services.forgetting import forget_figures
from dac7.services.profiling import exclude_entity
from dac7.services.watching import watch_sales
from dac7.states import MEMBER_STATES, rules_of
from foundation.ids import new_id
from foundation.money import Money
from members.models import Member
from tests.factories.banking import make_bank_account
from tests.factories.members import make_member
from tests.factories.sales import sell, sell_many, take_back
from tests.factories.tax import company, give_profile, person

pytestmark = pytest.mark.django_db

YEAR = 2025
MARCH, JUNE = datetime(YEAR, 3, 3, 12, tzinfo=UTC), datetime(YEAR, 6, 3, 12, tzinfo=UTC)
JANUARY = datetime(YEAR + 1, 1, 10, tzinfo=UTC)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def compile_year(now: datetime = JANUARY, filing_id: str | None = None) -> str:
    filing_id = filing_id or new_id()
    list(reported_sellers(filing_id=filing_id, year=YEAR, member_state="LT", now=now))
    return filing_id


@pytest.fixture
def big_seller(seller: Member) -> Member:
    """30 sales of 100.00 in March."""
    sell_many(seller.id, [euros(10000)] * 30, at=MARCH)
    return seller


class TestReportedSellers:
    def test_are_given_with_their_dossier(self, big_seller: Member) -> None:
        give_profile(big_seller.id)
        (reported,) = reported_sellers(filing_id=new_id(), year=YEAR, member_state="LT", now=JANUARY)
        assert (reported.seller_id, reported.residences) == (big_seller.id, ("LT",))
        assert reported.quarters[:2] == (Quarter("EUR", 3000, 30), Quarter("EUR", 0, 0))

    def test_without_a_dossier_are_given_all_the_same(self, big_seller: Member) -> None:
        (reported,) = reported_sellers(filing_id=new_id(), year=YEAR, member_state="LT", now=JANUARY)
        assert (reported.name, reported.residences, reported.tins) == ("", (), ())

    @pytest.mark.parametrize(("wanted", "has_account"), [("yes", True), ("no", False)])
    def test_are_given_with_the_account_where_their_state_wants_it(
        self,
        big_seller: Member,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        request: pytest.FixtureRequest,
        wanted: str,
        has_account: bool,
    ) -> None:
        give_profile(big_seller.id)
        make_bank_account(big_seller.id)
        rows = (states.DATA / "states.csv").read_text(encoding="utf-8").splitlines()
        changed = [row.replace(",yes,", f",{wanted},") if row.startswith("LT,") else row for row in rows]
        (tmp_path / "states.csv").write_text("\n".join(changed), encoding="utf-8")
        shutil.copy(states.DATA / "partner_jurisdictions.csv", tmp_path)
        monkeypatch.setattr(states, "DATA", tmp_path)
        states._rows.cache_clear()
        request.addfinalizer(states._rows.cache_clear)
        (reported,) = reported_sellers(filing_id=new_id(), year=YEAR, member_state="LT", now=JANUARY)
        assert (reported.account is not None) is has_account

    def test_leave_out_the_excluded_but_add_them_up(self, big_seller: Member) -> None:
        small = make_member("Jonas")
        sell(small.id, euros(1234), at=MARCH)
        filing = compile_year()
        totals = {
            (one.decision, one.consideration_minor, one.activities) for one in queries.list_totals(filing)
        }
        assert totals == {("reported", 300000, 30), ("small", 1234, 1)}
        assert [one.seller_key for one in queries.iter_frozen(filing)] == [big_seller.id]

    def test_leave_out_an_entity_that_staff_excluded(self, seller: Member) -> None:
        give_profile(seller.id, company(), now=MARCH)
        sell_many(seller.id, [euros(1000)] * 30, at=MARCH)
        exclude_entity(
            member_id=seller.id, exclusion="listed", staff_id="staff", note="Nasdaq Vilnius", now=MARCH
        )
        (total,) = queries.list_totals(compile_year())
        assert (total.decision, total.consideration_minor) == ("listed", 30000)

    def test_of_two_accounts_of_one_person_are_one(self, seller: Member) -> None:
        second = make_member("Ona again")
        for account in (seller, second):
            give_profile(account.id)
            sell_many(account.id, [euros(1000)] * 15, at=MARCH)
        (reported,) = reported_sellers(filing_id=new_id(), year=YEAR, member_state="LT", now=JANUARY)
        assert reported.member_ids == tuple(sorted([seller.id, second.id]))
        assert reported.quarters[0] == Quarter("EUR", 300, 30)

    def test_of_another_person_are_not_mixed_in(self, big_seller: Member) -> None:
        shop = make_member("Shop")
        give_profile(big_seller.id)
        give_profile(shop.id, company())
        sell_many(shop.id, [euros(100)] * 31, at=JUNE)
        found = list(reported_sellers(filing_id=new_id(), year=YEAR, member_state="LT", now=JANUARY))
        assert [one.seller_id for one in found] == sorted([big_seller.id, shop.id])
        assert {one.name for one in found} == {"Ona Kazlauskienė", "Antra Oda UAB"}

    def test_of_an_entity_name_the_state_of_its_register(self, big_seller: Member) -> None:
        def register() -> str:
            (one,) = reported_sellers(filing_id=new_id(), year=YEAR, member_state="LT", now=JANUARY)
            return one.registered_in

        give_profile(big_seller.id, company())
        assert register() == "LT"
        give_profile(big_seller.id, company(registration_number="HRB 1234", registered_in="DE"), version=1)
        assert register() == "DE"

    def test_who_live_elsewhere_are_left_out(self, big_seller: Member) -> None:
        give_profile(
            big_seller.id,
            person(
                country="US",
                postal_code="10001",
                city="New York",
                tins=(),
            ),
        )
        assert not list(reported_sellers(filing_id=new_id(), year=YEAR, member_state="LT", now=JANUARY))

    def test_need_the_exchange_rates(self, seller: Member) -> None:
        sell(seller.id, Money(5000, "PLN"), at=MARCH)
        with pytest.raises(ExchangeRateMissing) as refused:
            compile_year()
        assert refused.value.code == "exchange_rate_missing"


class TestFrozenFigures:
    def test_are_explained_line_by_line(self, big_seller: Member) -> None:
        reference = sell(big_seller.id, euros(6050), at=JUNE)
        take_back(big_seller.id, euros(1050), reference=reference, at=JUNE + timedelta(days=30))
        filing = compile_year()
        (figures,) = queries.iter_frozen(filing)
        lines = queries.get_explanation(filing, big_seller.id)
        (refunded,) = [line for line in lines if line.reference == reference]
        assert (refunded.credited, refunded.taken_back, refunded.quarter) == (euros(6050), euros(1050), 2)
        for number, quarter in enumerate(figures.quarters, 1):
            own = [line for line in lines if line.quarter == number]
            assert sum(line.consideration.amount_minor for line in own) == quarter.consideration_minor
            assert sum(line.counts for line in own) == quarter.activities
        assert (figures.euros, {line.rate for line in lines}) == (Decimal(3050), {Decimal(1)})

    def test_say_at_which_rate_a_quarter_of_two_currencies_was_converted(self, seller: Member) -> None:
        ExchangeRate.objects.create(
            currency="PLN", day=date(YEAR, 3, 3), per_euro=Decimal("4.2050"), loaded_at=MARCH
        )
        give_profile(
            seller.id,
            person(country="PL", postal_code="00-001", city="Warszawa", tins=(GivenTin("PL", "8567346215"),)),
        )
        sell_many(seller.id, [euros(1000)] * 30, at=MARCH)
        sell(seller.id, Money(4205, "PLN"), at=MARCH)
        filing = compile_year()
        (figures,) = queries.iter_frozen(filing)
        lines = queries.get_explanation(filing, seller.id)
        assert {
            (line.credited.currency, line.rate, line.into, line.into_rate, line.into_rate_day)
            for line in lines
        } == {
            ("EUR", Decimal(1), "PLN", Decimal("4.205"), date(YEAR, 3, 3)),
            ("PLN", Decimal("4.205"), "PLN", Decimal("4.205"), date(YEAR, 3, 3)),
        }
        # 300.00 EUR are 1261.50 PLN, and 42.05 more
        assert sum(line.converted for line in lines) == Fraction("1303.55")
        assert (figures.quarters[0].consideration, figures.quarters[0].currency) == (1304, "PLN")
        viewer = Client()
        viewer.force_login(make_member("Boss", is_staff=True, is_superuser=True))
        page = viewer.get(f"/admin/dac7/frozenseller/{filing}/{seller.id}/lines/").content.decode()
        assert "42.050000 PLN at 4.205" in page

    def test_stay_when_the_ledger_goes_on(self, big_seller: Member) -> None:
        reference = sell(big_seller.id, euros(5000), at=JUNE)
        filing = compile_year()
        before = list(queries.iter_frozen(filing))
        take_back(big_seller.id, euros(5000), reference=reference, at=JANUARY + timedelta(days=1))
        assert list(queries.iter_frozen(filing)) == before

    def test_are_the_same_from_the_same_data(self, big_seller: Member) -> None:
        one, other = compile_year(), compile_year()
        again = compile_year(filing_id=one)
        prints = {Compilation.objects.get(id=id_).fingerprint for id_ in (one, other, again)}
        assert len(prints) == 1
        assert FrozenSeller.objects.count() == 2

    def test_are_once_for_each_person(self, big_seller: Member) -> None:
        compile_year()
        row = FrozenSeller.objects.get()
        row.pk = new_id()
        with pytest.raises(IntegrityError, match=r"frozenseller_once|seller_key"), transaction.atomic():
            row.save(force_insert=True)


class TestDifferences:
    def test_of_two_compilations_name_who_changed(self, big_seller: Member) -> None:
        gone = make_member("Gone")
        reference = sell_many(gone.id, [euros(100)] * 30, at=MARCH)[0]
        before = compile_year()
        take_back(gone.id, euros(100), reference=reference, at=JANUARY + timedelta(days=1))
        changed = sell(big_seller.id, euros(6000), at=MARCH + timedelta(minutes=1), reference=None)
        take_back(big_seller.id, euros(6000), reference=changed, at=JANUARY + timedelta(days=1))
        after = compile_year(now=JANUARY + timedelta(days=2))
        (difference,) = queries.iter_differences(before, after)
        assert (difference.seller_key, difference.after) == (gone.id, None)
        assert not list(queries.iter_differences(after, after))

    def test_of_filed_with_31_one_refunded_are_minus_60_and_minus_one(self, seller: Member) -> None:
        sell_many(seller.id, euros(184000).allocate([1] * 30), at=MARCH)
        reference = sell(seller.id, euros(6000), at=MARCH + timedelta(minutes=1))
        before = compile_year()
        take_back(seller.id, euros(6000), reference=reference, at=JANUARY + timedelta(days=20))
        after = compile_year(now=JANUARY + timedelta(days=30))
        (difference,) = queries.iter_differences(before, after)
        assert difference.before is not None
        assert difference.after is not None
        old, new = difference.before.quarters[0], difference.after.quarters[0]
        assert (new.consideration - old.consideration, new.activities - old.activities) == (-60, -1)


class TestAddingUp:
    def test_is_exact_against_the_ledger_whatever_happened(self, big_seller: Member) -> None:
        late_seller = make_member("Jonas")
        donor = sell(late_seller.id, euros(999), at=MARCH, donation=euros(330), charity_id="charity")
        take_back(late_seller.id, euros(100), reference=donor, at=JUNE)
        fought = sell(late_seller.id, euros(4000), at=JUNE + timedelta(days=1), commission=euros(200))
        for days, event in ((10, Event.CHARGEBACK), (20, Event.CHARGEBACK_WON)):
            take_back(
                late_seller.id, euros(3800), reference=fought, at=JUNE + timedelta(days=days), event=event
            )
        undone = sell(late_seller.id, euros(700), at=JUNE + timedelta(days=30))
        posting = Posting.objects.get(key=f"{undone}:completed")
        reverse(posting.id, key="c", event=Event.CORRECTION, actor="staff:x", reason="Twice", now=JANUARY)
        filing = compile_year(now=JANUARY + timedelta(days=1))
        consideration = sum(one.consideration_minor for one in queries.list_totals(filing))
        assert consideration == 300000 + 999 - 100 + 3800
        since, until = year_bounds(YEAR, "Europe/Vilnius")
        ledger = sale_totals(since=since, until=until, changes_until=JANUARY + timedelta(days=1))
        assert ledger == {"EUR": (consideration, 200)}

    def test_counts_what_a_won_chargeback_leaves_of_another_to_the_seller(self, big_seller: Member) -> None:
        reference = sell(big_seller.id, euros(4000), at=JUNE)
        for days, event, charged in ((1, Event.CHARGEBACK, None), (2, Event.CHARGEBACK_WON, euros(1500))):
            at = JUNE + timedelta(days=days)
            take_back(big_seller.id, euros(4000), reference=reference, at=at, event=event, charged=charged)
        (total,) = queries.list_totals(compile_year())
        assert total.consideration_minor == 300000 + 4000 - 1500

    @pytest.mark.parametrize("named", [True, False])
    def test_leaves_as_it_was_what_staff_undid_of_a_won_chargeback(
        self, big_seller: Member, named: bool
    ) -> None:
        reference = sell(big_seller.id, euros(4000), at=JUNE)
        at = JUNE + timedelta(days=1)
        take_back(big_seller.id, euros(4000), reference=reference, at=at, event=Event.CHARGEBACK)
        won = take_back(
            big_seller.id,
            euros(4000),
            reference=reference,
            at=at + timedelta(days=1),
            event=Event.CHARGEBACK_WON,
            charged=euros(1500),
        )
        reverse(won, key="c", event=Event.CORRECTION, actor="staff:x", reason="Wrong", now=JANUARY)
        since, until = year_bounds(YEAR, "Europe/Vilnius")
        lines = iter_sale_lines(
            since=since,
            until=until,
            changes_until=JANUARY + timedelta(days=1),
            member_ids=[big_seller.id] if named else None,
        )
        changes = [line.amount.amount_minor for line in lines if line.part is SalePart.TAKEN_BACK]
        assert sorted(changes) == sorted([4000, -4000, 1500, 4000, -1500])

    def test_is_what_freezing_depends_on(self, big_seller: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(figuring, "sale_totals", lambda **_: {"EUR": (300001, 0)})
        filing = new_id()
        with pytest.raises(FiguresDoNotAddUp) as refused:
            compile_year(filing_id=filing)
        assert refused.value.code == "figures_do_not_add_up"
        assert not FrozenTotal.objects.filter(compilation_id=filing).exists()
        assert Compilation.objects.get(id=filing).finished_at is None


class TestForgetting:
    def test_takes_figures_and_requests_once_no_state_needs_them(self, big_seller: Member) -> None:
        filing = compile_year()
        watched_at = MARCH + timedelta(days=1)
        watch_sales(now=watched_at)
        information_given(member_id=big_seller.id, now=watched_at)
        years = max(rules_of(state, YEAR).retention_years for state in MEMBER_STATES)
        assert forget_figures(now=datetime(YEAR + years, 12, 31, tzinfo=UTC)) == 0
        # The seller's year, three lines of the log, their request, and the frozen figures.
        assert forget_figures(now=datetime(YEAR + years + 1, 1, 1, tzinfo=UTC)) == 6
        assert not list(queries.iter_frozen(filing))
        assert queries.list_totals(filing)

    def test_takes_the_log_of_reveals_after_the_longest_term(self, seller: Member) -> None:
        years = max(rules_of(state, YEAR).retention_years for state in MEMBER_STATES)
        AccessLog.objects.create(
            member=seller, staff_id="01STAFF", what="dossier", reason="An audit", happened_at=MARCH
        )
        assert forget_figures(now=datetime(YEAR + years, 12, 31, tzinfo=UTC)) == 0
        assert forget_figures(now=datetime(YEAR + years + 1, 1, 1, tzinfo=UTC)) == 1
