"""A walk along cursors sees every row once, whatever is inserted or deleted meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import signing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from foundation.api.pagination import CursorPage, InvalidCursor, page_serializer
from foundation.ids import new_id
from foundation.models import IdempotencyRecord
from members.models import Market
from tests.foundation.conftest import ANNA
from tests.foundation.test_problems import problem_of

pytestmark = pytest.mark.django_db

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SORTS = ["created_at", "-created_at", "fingerprint", "-fingerprint", "id", "-id"]
RECORDS = "/api/v1/records"


def add(*microseconds: int) -> list[str]:
    """Rows whose created_at differ by microseconds or not at all."""
    rows = [
        IdempotencyRecord(
            member_id=ANNA,
            fence=new_id(),
            fingerprint=f"f{after % 3}",
            owner=ANNA,
            lease_until=EPOCH,
            created_at=EPOCH + timedelta(microseconds=after),
        )
        for after in microseconds
    ]
    IdempotencyRecord.objects.bulk_create(rows)
    return [row.id for row in rows]


def page_of(sort: str, limit: int, cursor: str | None = None) -> Any:
    return CursorPage(sort, limit, cursor).slice(
        IdempotencyRecord.objects.values("id", "created_at", "fingerprint")
    )


def ids(page: Any) -> list[str]:
    return [row["id"] for row in page.results]


def in_order(sort: str) -> list[str]:
    sign = "-" if sort.startswith("-") else ""
    return list(IdempotencyRecord.objects.order_by(sort, f"{sign}id").values_list("id", flat=True))


class TestWalk:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        rows=st.lists(st.integers(0, 4), max_size=12),
        sort=st.sampled_from(SORTS),
        limit=st.integers(1, 5),
    )
    def test_there_and_back_is_the_sorted_list(self, rows: list[int], sort: str, limit: int) -> None:
        IdempotencyRecord.objects.all().delete()
        add(*rows)
        whole = in_order(sort)
        page = page_of(sort, limit)
        assert page.previous is None
        seen, pages = ids(page), [ids(page)]
        while page.next:
            page = page_of(sort, limit, page.next)
            pages.append(ids(page))
            seen += ids(page)
        assert seen == whole
        for expected in reversed(pages[:-1]):
            page = page_of(sort, limit, page.previous)
            assert ids(page) == expected
            assert page.next is not None
        assert page.previous is None

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        rows=st.lists(st.integers(0, 4), min_size=1, max_size=10),
        meanwhile=st.lists(st.integers(0, 4), max_size=6),
        gone=st.integers(0, 9),
        sort=st.sampled_from(SORTS),
    )
    def test_sees_each_row_that_stays_once_under_inserts_and_deletions(
        self, rows: list[int], meanwhile: list[int], gone: int, sort: str
    ) -> None:
        IdempotencyRecord.objects.all().delete()
        stay = add(*rows)
        page = page_of(sort, 2)
        seen = ids(page)
        # The row at the position may go: the cursor holds the position, not the row.
        deleted = (seen + stay)[gone % len(seen + stay)]
        IdempotencyRecord.objects.filter(pk=deleted).delete()
        while page.next:
            if meanwhile:
                add(meanwhile.pop())
            page = page_of(sort, 2, page.next)
            seen += ids(page)
        assert len(seen) == len(set(seen))
        assert set(stay) - {deleted} <= set(seen)

    def test_tells_microseconds_apart(self) -> None:
        first, second, third = add(1, 2, 3)
        page = page_of("created_at", 1)
        assert ids(page) == [first]
        page = page_of("created_at", 1, page.next)
        assert ids(page) == [second]
        assert ids(page_of("created_at", 1, page.next)) == [third]

    def test_of_an_empty_list(self) -> None:
        page = page_of("-id", 5)
        assert (page.results, page.next, page.previous) == ([], None, None)

    def test_beyond_rows_that_are_gone_is_an_empty_page(self) -> None:
        add(1, 2)
        page = page_of("created_at", 1)
        IdempotencyRecord.objects.all().delete()
        assert ids(page_of("created_at", 1, page.next)) == []

    def test_is_one_statement_a_page(self, django_assert_num_queries: Any) -> None:
        add(1, 2, 3)
        cursor = page_of("created_at", 1).next
        with django_assert_num_queries(1):
            page_of("created_at", 1, cursor)

    def test_cannot_go_along_a_column_with_null(self) -> None:
        add(1, 2)
        rows = IdempotencyRecord.objects.values("id", "response_status")
        with pytest.raises(TypeError, match="NULL"):
            CursorPage("response_status", 1, None).slice(rows)


class TestCursor:
    def cursor(self) -> str:
        add(1, 2, 3)
        cursor = page_of("created_at", 1).next
        assert isinstance(cursor, str)
        return cursor

    @pytest.mark.parametrize(
        "spoil", [lambda c: c[:-1], lambda c: "A" + c, lambda c: "", lambda c: "é", lambda c: ":"]
    )
    def test_that_was_tampered_with(self, spoil: Any) -> None:
        with pytest.raises(InvalidCursor):
            page_of("created_at", 1, spoil(self.cursor()))

    def test_of_another_sort(self) -> None:
        with pytest.raises(InvalidCursor, match="sort"):
            page_of("-created_at", 1, self.cursor())

    def test_of_another_table(self) -> None:
        add(1, 2)
        cursor = page_of("id", 1).next
        with pytest.raises(InvalidCursor, match="another list"):
            CursorPage("id", 1, cursor).slice(Market.objects.values("code"))

    @pytest.mark.parametrize("content", [1, [], {}, None, ["a"] * 9, "text"])
    def test_of_another_shape(self, content: Any) -> None:
        with pytest.raises(InvalidCursor):
            page_of("id", 1, signing.dumps(content, salt="foundation.cursor"))


class TestList:
    def test_has_links_that_keep_the_other_parameters(self, anna: APIClient) -> None:
        rows = add(*range(5))
        first = anna.get(f"{RECORDS}?limit=2&sort=created_at").json()
        assert first["results"] == rows[:2]
        assert first["previous"] is None
        assert first["next"].startswith("http://testserver/api/v1/records?limit=2&sort=created_at&cursor=")
        second = anna.get(first["next"]).json()
        assert second["results"] == rows[2:4]
        assert anna.get(second["previous"]).json()["results"] == rows[:2]
        assert anna.get(anna.get(second["next"]).json()["previous"]).json()["results"] == rows[2:4]

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=-1", "limit=x", "sort=owner", "page=2"])
    def test_refuses_what_it_does_not_know(self, anna: APIClient, query: str) -> None:
        problem_of(anna.get(f"{RECORDS}?{query}"), 400, "invalid_request")

    @pytest.mark.parametrize("cursor", ["x", "%00", "a:b:c", "%C3%A9", "a" * 1999])
    def test_refuses_a_broken_cursor(self, anna: APIClient, cursor: str) -> None:
        answer = anna.get(f"{RECORDS}?cursor={cursor}")
        assert answer.json()["code"] in ("invalid_cursor", "invalid_request")
        assert answer.status_code == 400

    def test_has_a_documented_shape(self) -> None:
        from foundation.api.serializers import ProblemSerializer

        shape = page_serializer("Problems", ProblemSerializer)()
        assert set(shape.fields) == {"results", "next", "previous"}
