"""Compiled queries say what plain querysets say, each time they are asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from foundation.compiled import Arg, CompiledQuery, args, insert_rows, named, save_row
from foundation.models import IdempotencyRecord
from members.models import Block
from tests.factories.members import make_member

NOW = timezone.now().replace(microsecond=123456)


def a_record(owner: str, **facts: Any) -> IdempotencyRecord:
    known = {"fence": owner.ljust(64, "0"), "fingerprint": "f", "lease_until": NOW, "created_at": NOW}
    return IdempotencyRecord(owner=owner, **(known | facts))


@pytest.fixture
def member_id(db: None) -> str:
    return str(make_member("Ona").id)


@pytest.fixture
def records(member_id: str) -> list[IdempotencyRecord]:
    made = [
        a_record(owner, member_id=member_id, lease_until=NOW + timedelta(hours=hours))
        for hours, owner in enumerate(("a", "b", "c"))
    ]
    insert_rows(made)
    return made


class TestCompiledQuery:
    def test_gives_instances_like_a_queryset(self, records: list[IdempotencyRecord]) -> None:
        query = CompiledQuery(lambda: IdempotencyRecord.objects.filter(owner=Arg("owner")))
        for owner in ("b", "a", "b"):
            found, plain = query.find(owner=owner), IdempotencyRecord.objects.get(owner=owner)
            assert found is not None
            assert vars(found) | {"_state": 0} == vars(plain) | {"_state": 0}
            assert (found._state.adding, found._state.db) == (False, "default")
        assert query.find(owner="nobody") is None

    def test_is_built_once(self, records: list[IdempotencyRecord]) -> None:
        built: list[int] = []

        def build() -> Any:
            built.append(1)
            return IdempotencyRecord.objects.filter(owner=Arg("owner")).values_list("owner", flat=True)

        query: CompiledQuery[str] = CompiledQuery(build)
        assert [query.all(owner=owner) for owner in ("a", "c", "d")] == [["a"], ["c"], []]
        assert built == [1]

    def test_compares_moments(self, records: list[IdempotencyRecord]) -> None:
        query = CompiledQuery(
            lambda: (
                IdempotencyRecord.objects.filter(lease_until__gt=Arg("at"))
                .order_by("owner")
                .values_list("owner", "lease_until")
            )
        )
        late = NOW + timedelta(hours=1)
        assert query.all(at=NOW) == [("b", late), ("c", NOW + timedelta(hours=2))]
        assert query.all(at=late - timedelta(microseconds=1))[0] == ("b", late)

    def test_takes_several_values(self, records: list[IdempotencyRecord]) -> None:
        def owners(count: int) -> CompiledQuery[str]:
            return CompiledQuery(
                lambda: (
                    IdempotencyRecord.objects.filter(owner__in=args("owner", count))
                    .order_by("owner")
                    .values_list("owner", flat=True)
                )
            )

        assert owners(2).all(**named("owner", ["c", "a"])) == ["a", "c"]
        assert owners(0).all(**named("owner", [])) == []

    def test_refuses_what_would_be_compared_with_its_name(self, member_id: str) -> None:
        Block.objects.create(blocker_id=member_id, blocked_id=make_member("Rita").id, blocked_at=NOW)
        wrong = CompiledQuery(lambda: Block.objects.filter(blocker_id__in=args("id", 1)))  # type: ignore[misc]
        with pytest.raises(TypeError, match="id0"):
            wrong.all(id0=member_id)
        right = CompiledQuery(lambda: Block.objects.filter(blocker__id__in=args("id", 1)))
        assert len(right.all(id0=member_id)) == 1

    def test_knows_each_of_its_arguments(self, records: list[IdempotencyRecord]) -> None:
        query = CompiledQuery(lambda: IdempotencyRecord.objects.filter(owner=Arg("owner")))
        with pytest.raises(KeyError, match="owner"):
            query.all()

    def test_follows_no_relations(self, member_id: str) -> None:
        with pytest.raises(ValueError, match="relations"):
            CompiledQuery(lambda: Block.objects.select_related("blocker")).all()
        with pytest.raises(ValueError, match="ValuesIterable"):
            CompiledQuery(lambda: IdempotencyRecord.objects.values("owner")).all()

    @pytest.mark.django_db(transaction=True)
    def test_locks_only_inside_a_transaction(self) -> None:
        query = CompiledQuery(
            lambda: IdempotencyRecord.objects.select_for_update().filter(owner=Arg("owner"))
        )
        with transaction.atomic():
            assert query.find(owner="a") is None
        with pytest.raises(TransactionManagementError):
            query.find(owner="a")


class TestSaveRow:
    def test_writes_every_column(self, records: list[IdempotencyRecord]) -> None:
        row = IdempotencyRecord.objects.get(owner="a")
        row.status, row.response_status, row.response_headers = "done", 201, {"ETag": "1"}
        save_row(row)
        stored = IdempotencyRecord.objects.get(owner="a")
        assert vars(stored) | {"_state": 0} == vars(row) | {"_state": 0}
        assert IdempotencyRecord.objects.get(owner="b").status == "running"

    def test_of_nothing_is_an_error(self, member_id: str) -> None:
        with pytest.raises(DatabaseError, match="there is no"):
            save_row(a_record("z", member_id=member_id, pk=12345))


class TestInsertRows:
    def test_of_more_than_one_statement_takes(self, member_id: str, django_assert_num_queries: Any) -> None:
        rows = [a_record(f"{number}-", member_id=member_id) for number in range(501)]
        with django_assert_num_queries(2):
            insert_rows(rows)
        assert IdempotencyRecord.objects.count() == 501
        insert_rows([])

    def test_passes_over_what_is_known_only_when_told(
        self, member_id: str, records: list[IdempotencyRecord]
    ) -> None:
        insert_rows([a_record("a", member_id=member_id)], ignores_known=True)
        with pytest.raises(IntegrityError):
            insert_rows([a_record("a", member_id=member_id)])
        # The transaction goes on.
        assert IdempotencyRecord.objects.count() == 3
        assert connection.needs_rollback is False
