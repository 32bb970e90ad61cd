"""Keys compared byte for byte on every engine."""

from __future__ import annotations

import re
import time

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from foundation.api.converters import IdConverter
from foundation.ids import ID_PATTERN, AsciiField, IdField, new_id
from foundation.models import IdempotencyRecord
from tests.foundation.conftest import ANNA


def add(fence: str) -> IdempotencyRecord:
    now = timezone.now()
    return IdempotencyRecord.objects.create(
        member_id=ANNA, fence=fence, fingerprint="p", owner=ANNA, lease_until=now, created_at=now
    )


class TestNewId:
    def test_has_the_documented_form(self) -> None:
        assert re.fullmatch(ID_PATTERN, new_id())

    def test_made_later_sorts_later(self) -> None:
        first = new_id()
        time.sleep(0.002)
        assert first < new_id()

    def test_is_never_the_same(self) -> None:
        assert len({new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.django_db
class TestAsciiKey:
    def test_tells_case_and_trailing_space_apart(self) -> None:
        rows = [add("abc"), add("ABC"), add("Abc")]
        for row in rows:
            assert IdempotencyRecord.objects.get(fence=row.fence) == row
        assert not IdempotencyRecord.objects.filter(fence="aBC").exists()

    @pytest.mark.parametrize("text", ["é", "\uff21\uff22", "abc\u0301", "\U0001f45c"])
    def test_finds_nothing_for_what_it_cannot_hold(self, text: str) -> None:
        add("abc")
        assert not IdempotencyRecord.objects.filter(fence=text).exists()
        assert not IdempotencyRecord.objects.filter(fence__in=[text, "x"]).exists()
        assert not IdempotencyRecord.objects.filter(fence__gt="zzz", fence__startswith=text).exists()

    def test_is_never_saved_as_something_else(self) -> None:
        with pytest.raises((ValueError, IntegrityError), match="ascii"):
            add("é")

    def test_sorts_by_bytes(self) -> None:
        for fence in ("b", "B", "a", "_"):
            add(fence)
        found = IdempotencyRecord.objects.order_by("fence").values_list("fence", flat=True)
        assert list(found) == ["B", "_", "a", "b"]

    def test_is_a_binary_column_on_mysql(self) -> None:
        kind = AsciiField(max_length=9).db_type(connection)
        assert kind.endswith("ascii_bin") == (connection.vendor == "mysql")


class TestIdField:
    def test_is_a_fresh_primary_key(self) -> None:
        field = IdField(primary_key=True)
        assert field.default is new_id
        assert field.max_length == 26
        assert not field.editable

    def test_of_another_row_has_no_default(self) -> None:
        assert not IdField().has_default()


class TestIdInAPath:
    @pytest.mark.parametrize(
        "text", ["", "x", "0" * 25, "0" * 27, "o" * 26, "U" * 26, "é" * 26, "0" * 25 + "\n"]
    )
    def test_that_cannot_be_one_matches_nothing(self, text: str) -> None:
        assert not re.fullmatch(IdConverter.regex, text)

    def test_is_itself(self) -> None:
        converter = IdConverter()
        assert converter.to_url(converter.to_python(ANNA)) == ANNA
