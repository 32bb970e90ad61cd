from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from rest_framework.test import APIClient

from balance import events
from balance.chart import Event
from balance.errors import InsufficientFunds, StatementNotFound
from balance.events import NewPosting, Share
from balance.models import StatementCalendar
from balance.months import Month
from balance.queries import statements
from balance.queries.balances import get_balances_at
from balance.queries.statements import get_period, list_months, list_sections, read_lines
from balance.services.posting import post
from balance.services.statements import fix_calendar
from balance.statements.csv_rows import text_cell
from members.models import Member
from tests.balance.test_balance_endpoint import request_withdrawal
from tests.factories.members import make_market
from tests.factories.money import euros, give

STATEMENTS = "/api/v1/balance/statements"
VILNIUS = "Europe/Vilnius"
# In Vilnius the first of March began two hours before it did in UTC.
LAST_OF_FEBRUARY = datetime(2026, 2, 28, 21, 59, 59, 999_999, tzinfo=UTC)
FIRST_OF_MARCH = datetime(2026, 2, 28, 22, tzinfo=UTC)
IN_MARCH = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)


@pytest.fixture
def saver(seller: Member) -> Member:
    """10.00 in February's last moment; in March 5.00 came in and 2.00 are on their way out."""
    give(seller.id, 1000, now=LAST_OF_FEBRUARY)
    give(seller.id, 500, now=FIRST_OF_MARCH)
    request_withdrawal(seller, 200, now=IN_MARCH)
    return seller


class TestMonths:
    def test_begin_at_midnight_there(self) -> None:
        assert Month(2026, 3).starts_at(VILNIUS) == FIRST_OF_MARCH
        assert Month(2026, 12).ends_at(VILNIUS) == datetime(2026, 12, 31, 22, tzinfo=UTC)
        assert Month.at(LAST_OF_FEBRUARY, VILNIUS) == Month(2026, 2)
        assert Month.at(FIRST_OF_MARCH, VILNIUS) == Month(2026, 3)

    # Clocks that change at midnight, by half an hour, at one in the night.
    @pytest.mark.parametrize(
        "zone", [VILNIUS, "Europe/Lisbon", "Asia/Amman", "Australia/Lord_Howe", "America/Havana"]
    )
    def test_follow_each_other_without_a_gap(self, zone: str) -> None:
        month = Month(2015, 1)
        while month < Month(2035, 1):
            end = month.ends_at(zone)
            assert end == month.next().starts_at(zone)
            assert Month.at(end - timedelta(microseconds=1), zone) == month
            assert Month.at(end, zone) == month.next()
            month = month.next()

    def test_are_closed_once_late_commits_are_in(self) -> None:
        end = Month(2026, 3).ends_at(VILNIUS)
        assert not Month(2026, 3).is_closed(VILNIUS, end + timedelta(minutes=59))
        assert Month(2026, 3).is_closed(VILNIUS, end + timedelta(hours=1))

    @pytest.mark.parametrize(
        "text",
        [
            "2026-3",
            "2026-13",
            "2026-00",
            "0000-01",
            "26-01",
            "2026-01-01",
            "\N{ARABIC-INDIC DIGIT TWO}026-01",
        ],
    )
    def test_that_are_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="no month"):
            Month.parse(text)


class TestCalendar:
    def test_stays_when_the_member_moves(self, saver: Member) -> None:
        assert fix_calendar(member_id=saver.id, now=IN_MARCH) == VILNIUS
        saver.market = make_market("PT")
        saver.save(update_fields=["market"])
        assert fix_calendar(member_id=saver.id, now=IN_MARCH) == VILNIUS

    def test_has_a_zone(self, seller: Member) -> None:
        with pytest.raises(IntegrityError, match="statement_zone_named"), transaction.atomic():
            StatementCalendar.objects.create(member_id=seller.id, time_zone="", fixed_at=IN_MARCH)


class TestList:
    def test_is_empty_without_an_account(self, as_seller: APIClient) -> None:
        assert as_seller.get(STATEMENTS).json() == {"results": [], "next": None, "previous": None}

    def test_says_what_a_month_can_be_asked_for(self, as_seller: APIClient) -> None:
        answer = as_seller.options(f"{STATEMENTS}/2026-03", headers={"Accept": "application/pdf"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")

    def test_has_every_month_since_the_first_account(self, as_seller: APIClient, saver: Member) -> None:
        months = as_seller.get(STATEMENTS).json()["results"]
        assert [month["month"] for month in months][-2:] == ["2026-03", "2026-02"]
        assert months[0]["is_closed"] is False
        assert months[-2] == {
            "month": "2026-03",
            "time_zone": VILNIUS,
            "starts_at": "2026-02-28T22:00:00Z",
            "ends_at": "2026-03-31T21:00:00Z",
            "is_closed": True,
        }
        for month in months[:2]:
            assert as_seller.get(f"{STATEMENTS}/{month['month']}").status_code == 200

    def test_is_for_members_only(self, stranger: APIClient) -> None:
        assert stranger.get(STATEMENTS).status_code == 401
        assert stranger.get(f"{STATEMENTS}/2026-03").status_code == 401


class TestJson:
    def test_leads_from_opening_to_closing(self, as_seller: APIClient, saver: Member) -> None:
        body = as_seller.get(f"{STATEMENTS}/2026-03").json()
        found = [
            (
                account["account"],
                account["opening"]["amount"],
                [line["amount"]["amount"] for line in account["lines"]],
                account["closing"]["amount"],
            )
            for account in body["accounts"]
        ]
        assert found == [("available", 1000, [500, -200], 1300), ("in_transit", 0, [200], 200)]
        assert body["is_closed"] is True

    def test_what_follows_opens_with_the_closing(self, as_seller: APIClient, saver: Member) -> None:
        body = as_seller.get(f"{STATEMENTS}/2026-04").json()
        assert [(a["opening"], a["lines"]) for a in body["accounts"]] == [
            ({"amount": 1300, "currency": "EUR"}, []),
            ({"amount": 200, "currency": "EUR"}, []),
        ]

    def test_is_in_the_members_language(self, as_seller: APIClient, saver: Member) -> None:
        account = as_seller.get(f"{STATEMENTS}/2026-03").json()["accounts"][0]
        assert account["name"] == "Laisvas likutis"
        assert account["lines"][0]["label"] == "„Preloved“ geros valios išmoka"

    def test_is_that_of_when_it_was_recorded(self, as_seller: APIClient, saver: Member) -> None:
        """What is learned in April of something in March leaves March as it was."""
        before = as_seller.get(f"{STATEMENTS}/2026-03").content
        lines = events.goodwill_given(Share(saver.id, euros(70)))
        late = NewPosting("late", Event.GOODWILL_GIVEN, lines, "test:late", "staff:1", effective_at=IN_MARCH)
        post(late, now=datetime(2026, 4, 2, tzinfo=UTC))
        assert as_seller.get(f"{STATEMENTS}/2026-03").content == before
        (line,) = as_seller.get(f"{STATEMENTS}/2026-04").json()["accounts"][0]["lines"]
        assert line["effective_at"] == "2026-03-15T09:30:00Z"

    @pytest.mark.parametrize("month", ["2026-01", "2999-01", "9999-12", "march", "2026-13", "2026-03-01"])
    def test_of_a_month_without_one(self, as_seller: APIClient, saver: Member, month: str) -> None:
        answer = as_seller.get(f"{STATEMENTS}/{month}")
        assert answer.status_code == 404
        assert answer.json()["code"] == "statement_not_found"

    def test_of_others_is_not_there(self, as_buyer: APIClient, saver: Member) -> None:
        assert as_buyer.get(f"{STATEMENTS}/2026-03").status_code == 404

    def test_that_is_too_long_is_refused(
        self, as_seller: APIClient, saver: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(statements, "MOST_LINES", 1)
        for form in ("json", "pdf"):
            answer = as_seller.get(f"{STATEMENTS}/2026-03", {"format": form})
            assert (answer.status_code, answer.json()["code"]) == (422, "statement_too_long")
        assert as_seller.get(f"{STATEMENTS}/2026-03", {"format": "csv"}).status_code == 200


class TestForms:
    @pytest.mark.parametrize(
        ("accept", "query", "content_type"),
        [
            ("application/json", {}, "application/json"),
            ("text/csv", {}, "text/csv; charset=utf-8"),
            ("application/pdf", {}, "application/pdf"),
            ("text/html, */*;q=0.5", {}, "application/json"),
            ("application/json", {"format": "pdf"}, "application/pdf"),
            ("text/html", {"format": "csv"}, "text/csv; charset=utf-8"),
        ],
    )
    def test_are_chosen_by_accept_or_by_the_link(
        self, as_seller: APIClient, saver: Member, accept: str, query: dict[str, str], content_type: str
    ) -> None:
        answer = as_seller.get(f"{STATEMENTS}/2026-03", query, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer["Content-Type"] == content_type
        name = 'attachment; filename="statement-2026-03.'
        assert answer.get("Content-Disposition", name).startswith(name)

    def test_others_are_not_there(self, as_seller: APIClient, saver: Member) -> None:
        answer = as_seller.get(f"{STATEMENTS}/2026-03", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        answer = as_seller.get(f"{STATEMENTS}/2026-03", {"format": "docx"})
        assert answer.status_code == 400


def rows_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\N{BYTE ORDER MARK}")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


class TestCsv:
    def test_sums_to_the_cent(self, as_seller: APIClient, saver: Member) -> None:
        head, *rows = rows_of(as_seller.get(f"{STATEMENTS}/2026-03", {"format": "csv"}))
        assert head[0] == "Data"
        available = [row for row in rows if row[1] == "Laisvas likutis"]
        assert [(row[0], row[5], row[6]) for row in available] == [
            ("2026-03-01T00:00:00+02:00", "", "10.00"),
            ("2026-03-01T00:00:00+02:00", "5.00", "15.00"),
            ("2026-03-15T11:30:00+02:00", "-2.00", "13.00"),
            ("2026-04-01T00:00:00+03:00", "", "13.00"),
        ]
        opening, *lines, closing = available
        assert Decimal(opening[6]) + sum(Decimal(row[5]) for row in lines) == Decimal(closing[6])

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
    def test_runs_no_formula(self, text: str) -> None:
        assert text_cell(text) == f"'{text}"

    def test_of_a_reference_that_is_a_formula(self, as_seller: APIClient, seller: Member) -> None:
        lines = events.goodwill_given(Share(seller.id, euros(1)))
        evil = NewPosting("k", Event.GOODWILL_GIVEN, lines, "=HYPERLINK(1)", "system")
        post(evil, now=IN_MARCH)
        rows = rows_of(as_seller.get(f"{STATEMENTS}/2026-03", {"format": "csv"}))
        assert [row[4] for row in rows if row[4]] == ["Nuoroda", "'=HYPERLINK(1)"]


class TestPdf:
    def test_can_be_read_in_lithuanian(self, as_seller: APIClient, saver: Member) -> None:
        content = as_seller.get(f"{STATEMENTS}/2026-03", {"format": "pdf"}).content
        assert len(content) < 60_000
        (page,) = PdfReader(io.BytesIO(content)).pages
        text = page.extract_text()
        for words in ("Ataskaita 2026-03", saver.id, "„Preloved“ geros valios išmoka", "13,00"):
            assert words in text
        assert "negalutinė" not in text

    def test_of_a_month_that_is_not_over_says_so(self, as_seller: APIClient, saver: Member) -> None:
        month = as_seller.get(STATEMENTS).json()["results"][0]["month"]
        content = as_seller.get(f"{STATEMENTS}/{month}", {"format": "pdf"}).content
        assert "negalutinė" in PdfReader(io.BytesIO(content)).pages[0].extract_text()

    def test_is_the_same_bytes_again(self, as_seller: APIClient, saver: Member) -> None:
        first, second = (as_seller.get(f"{STATEMENTS}/2026-03", {"format": "pdf"}).content for _ in "12")
        assert first == second

    def test_goes_on_over_pages_with_every_line(self, as_seller: APIClient, seller: Member) -> None:
        for number in range(120):
            give(seller.id, 1000 + number, now=IN_MARCH + timedelta(minutes=number))
        reader = PdfReader(io.BytesIO(as_seller.get(f"{STATEMENTS}/2026-03", {"format": "pdf"}).content))
        text = "".join(page.extract_text() for page in reader.pages)
        assert len(reader.pages) == 3
        assert all(f"{(1000 + number) / 100:.2f}".replace(".", ",") in text for number in range(120))

    @pytest.mark.parametrize("language", ["pl", "de", "fr", "lt", "en"])
    def test_has_every_letter(self, as_seller: APIClient, saver: Member, language: str) -> None:
        saver.language, saver.display_name = language, "Łukasz Žąsytė Gößmann"
        saver.save(update_fields=["language", "display_name"])
        content = as_seller.get(f"{STATEMENTS}/2026-03", {"format": "pdf"}).content
        assert saver.display_name in PdfReader(io.BytesIO(content)).pages[0].extract_text()


class TestCost:
    def test_of_a_statement(
        self, as_seller: APIClient, saver: Member, django_assert_num_queries: Any
    ) -> None:
        as_seller.get(STATEMENTS)
        # The member, the calendar, the first account, the accounts; of both accounts the opening and the
        # lines, and of in_transit, which opened at zero without an entry before, whether there are any.
        with django_assert_num_queries(4 + (3 + 3) + (2 + 3 + 3)):
            as_seller.get(f"{STATEMENTS}/2026-03")


class TestSums:
    def test_that_do_not_add_up_are_not_handed_out(self, saver: Member) -> None:
        period = get_period(saver.id, Month(2026, 3), VILNIUS, IN_MARCH)
        section = list_sections(period, "EUR")[0]
        wrong = replace(section, opening=section.opening + euros(1))
        with pytest.raises(ArithmeticError, match=r"15\.01 EUR is not 15\.00 EUR"):
            read_lines(wrong)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(
            st.tuples(
                st.sampled_from(["give", "withdraw", "hold", "charge"]),
                st.integers(1, 500),
                st.integers(0, 40 * 24 * 60),
            ),
            max_size=12,
        )
    )
    def test_opening_and_lines_are_closing_and_the_balance_at_that_time(
        self, seller: Member, steps: list[tuple[str, int, int]]
    ) -> None:
        with transaction.atomic():
            now = datetime(2026, 1, 20, tzinfo=UTC)
            for number, (verb, minor, minutes) in enumerate(steps):
                now += timedelta(minutes=minutes)
                act(seller, verb, minor, f"s:{number}", now)
            check_months(seller, now)
            transaction.set_rollback(True)


def act(member: Member, verb: str, minor: int, key: str, now: datetime) -> None:
    share = Share(member.id, euros(minor))
    kinds = {
        "give": (Event.GOODWILL_GIVEN, events.goodwill_given(share)),
        "withdraw": (Event.WITHDRAWAL_REQUESTED, events.withdrawal_requested(share)),
        "hold": (Event.HOLD_PLACED, events.hold_placed(share)),
        "charge": (Event.CHARGEBACK, events.chargeback(seller=share, borne=euros(0), fee=euros(0))),
    }
    event, lines = kinds[verb]
    with contextlib.suppress(InsufficientFunds):
        post(NewPosting(key, event, lines, key, "system"), now=now)


def check_months(member: Member, now: datetime) -> None:
    months = list_months(member.id, VILNIUS, now)
    closings: dict[str, Any] = {}
    for month in reversed(months):
        period = get_period(member.id, month, VILNIUS, now)
        sections = {section.account.kind.value: section for section in list_sections(period, "EUR")}
        at_start, at_end = (
            get_balances_at(member.id, "EUR", at - timedelta(microseconds=1))
            for at in (period.starts_at, period.ends_at)
        )
        for kind in ("available", "pending", "held", "in_transit"):
            section = sections.get(kind)
            if section is None:
                assert getattr(at_start, kind) == getattr(at_end, kind) == euros(0)
                continue
            lines = read_lines(section)
            assert section.opening == getattr(at_start, kind) == closings.get(kind, euros(0))
            balance = section.opening
            for line in lines:
                assert period.starts_at <= line.recorded_at < period.ends_at
                balance += line.amount
                assert line.balance_after == balance
            assert balance == section.closing(lines) == getattr(at_end, kind)
            closings[kind] = balance
    if not months:
        with pytest.raises(StatementNotFound):
            get_period(member.id, Month(2026, 1), VILNIUS, now)
