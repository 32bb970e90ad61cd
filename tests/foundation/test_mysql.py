"""The backend for MySQL and MariaDB: when a transaction begins and ends on the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import MySQLdb
import MySQLdb.cursors
import pytest
from django.db import (
    DatabaseError,
    Error,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.transaction import TransactionManagementError

from foundation.db import Statement, can_execute_at_once, execute_all, execute_at_once
from tests.foundation.numbers_table import (
    Counted,
    be_rolled_back,
    fail,
    in_a_transaction,
    insert,
    insert_in_one_packet,
    insert_many,
    inserting,
    lose_the_connection,
    seen_by_others,
)

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _numbers_above_zero() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE numbers (id INT PRIMARY KEY, CHECK (id > 0)) ENGINE=InnoDB")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE numbers")


class TestBeginning:
    def test_is_sent_with_the_first_statement_and_nothing_else_is(self) -> None:
        with Counted() as found, transaction.atomic():
            insert(1, 2)
        assert found == {"begin": 1, "insert": 2, "commit": 1}
        assert seen_by_others() == {1, 2}

    def test_is_left_out_where_there_is_no_statement(self) -> None:
        with Counted() as found:
            with transaction.atomic():
                pass
            with pytest.raises(KeyError):
                in_a_transaction(fail)
        assert found == {}

    def test_holds_for_what_the_driver_takes_apart(self) -> None:
        with pytest.raises(KeyError):
            in_a_transaction(lambda: insert_many(1, 2), fail)
        assert seen_by_others() == set()

    def test_holds_for_a_savepoint(self) -> None:
        with transaction.atomic():
            with pytest.raises(KeyError):
                in_a_transaction(lambda: insert(1), fail)
            insert(2)
        assert seen_by_others() == {2}

    def test_answers_with_the_statements_own_result(self) -> None:
        insert(1, 2, 3)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM numbers WHERE id < %s", [3])
            assert cursor.rowcount == 2
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM numbers")
            assert cursor.fetchall() == ((3,),)

    @pytest.mark.parametrize("values", [["\ud800"], [1, 2]])
    def test_is_sent_again_after_a_statement_that_the_driver_refused(self, values: list[Any]) -> None:
        def insert_values() -> None:
            with connection.cursor() as cursor, pytest.raises((ValueError, ProgrammingError)):
                cursor.execute("INSERT INTO numbers VALUES (%s)", values)

        with pytest.raises(KeyError):
            in_a_transaction(insert_values, lambda: insert(5), fail)
        assert seen_by_others() == set()

    @pytest.mark.parametrize("caught", [True, False])
    def test_leaves_nothing_open_when_a_signal_interrupts_the_first_statement(
        self, caught: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a worker's soft time limit does, while the answer is waited for."""

        def interrupted(self: Any) -> None:
            monkeypatch.undo()
            raise TimeoutError

        def insert_slowly() -> None:
            monkeypatch.setattr("MySQLdb.cursors.Cursor.nextset", interrupted)
            with suppress(TimeoutError) if caught else nullcontext():
                insert(1)

        with pytest.raises((TimeoutError, Error, KeyError)):
            in_a_transaction(insert_slowly, fail)
        connection.close()
        insert(2)
        assert seen_by_others() == {2}

    def test_survives_a_first_statement_that_is_refused(self) -> None:
        insert(1)
        for below_zero_or_twice in (0, 1):
            with pytest.raises(IntegrityError), transaction.atomic():
                insert(below_zero_or_twice)
        with transaction.atomic():
            insert(2)
        assert seen_by_others() == {1, 2}

    def test_of_a_transaction_whose_connection_was_closed_is_forgotten(self) -> None:
        with transaction.atomic():
            connection.close()
        insert(1)  # would wait for a commit for ever
        assert seen_by_others() == {1}

    def test_of_a_transaction_whose_connection_was_lost_is_forgotten(self) -> None:
        with pytest.raises(OperationalError):
            in_a_transaction(lambda: insert(1), lose_the_connection)
        insert(2)
        assert seen_by_others() == {2}


class TestRollbackByTheServer:
    @pytest.mark.parametrize("code", [1213, 1020])
    def test_lets_nothing_follow(self, code: int) -> None:
        """Where the error is caught, too: the session is in autocommit then, so it would stay."""
        with transaction.atomic():
            insert(1)
            with pytest.raises(OperationalError):
                be_rolled_back(code)
            with pytest.raises(TransactionManagementError):
                insert(2)
        assert seen_by_others() == set()
        insert(3)
        assert seen_by_others() == {3}


@pytest.fixture(params=["as this server takes it", "as MySQL takes it"])
def packet(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """MariaDB is sent one compound statement; MySQL, which has none outside of procedures, several."""
    if request.param == "as MySQL takes it":
        monkeypatch.setitem(connection.__dict__, "mysql_is_mariadb", False)


@pytest.mark.usefixtures("packet")
class TestLastStatements:
    def test_are_committed_by_their_packet(self) -> None:
        told: list[str] = []
        with Counted() as found, transaction.atomic():
            transaction.on_commit(lambda: told.append("committed"))
            insert(1)
            insert_in_one_packet(2, 3, ends_transaction=True)
            assert seen_by_others() == {1, 2, 3}
            assert told == []
        assert told == ["committed"]
        assert found == {"begin": 1, "insert": 3, "commit": 1}

    def test_are_rolled_back_if_one_is_refused(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_in_one_packet(1, 0, 2, ends_transaction=True)
        assert seen_by_others() == set()

    def test_are_followed_by_no_other(self) -> None:
        with pytest.raises(TransactionManagementError):
            in_a_transaction(
                lambda: insert_in_one_packet(1, ends_transaction=True),
                lambda: insert(2),
            )
        insert(3)
        assert seen_by_others() == {1, 3}


@pytest.mark.usefixtures("packet")
class TestStatementsInOnePacket:
    def test_wait_for_the_transactions_end(self) -> None:
        with transaction.atomic():
            insert_in_one_packet(1, 2, ends_transaction=False)
            assert seen_by_others() == set()
            insert(3)
        assert seen_by_others() == {1, 2, 3}

    def test_stop_at_the_first_that_is_refused(self) -> None:
        with transaction.atomic():
            with pytest.raises(IntegrityError):
                insert_in_one_packet(1, 0, 2, ends_transaction=False)
            insert(3)
        assert seen_by_others() == {1, 3}


@pytest.fixture
def mariadb() -> None:
    with connection.cursor() as cursor:
        if not can_execute_at_once(cursor):
            pytest.skip("MySQL has compound statements in procedures only")


def in_one(*statements: Statement, rows: int = 1, ends_transaction: bool = True) -> bool:
    with connection.cursor() as cursor:
        return execute_at_once(cursor, statements, rows=rows, ends_transaction=ends_transaction)


MISFITS = [((1, 2), 0), ((1, 2), 2), ((1, 0), 1), ((1, 1), 1)]  # and how many rows the first should change


@pytest.mark.usefixtures("mariadb")
class TestTransactionInOnePacket:
    def test_is_committed(self) -> None:
        told: list[str] = []
        with Counted() as found, transaction.atomic():
            transaction.on_commit(lambda: told.append("committed"))
            assert in_one(*inserting(1, 2))
            assert seen_by_others() == {1, 2}
            assert told == []
        assert told == ["committed"]
        assert found == {"begin": 1, "insert": 2, "commit": 1}

    @pytest.mark.parametrize(("numbers", "rows"), MISFITS)
    def test_leaves_nothing_of_what_does_not_fit(self, numbers: tuple[int, ...], rows: int) -> None:
        with transaction.atomic():
            assert not in_one(*inserting(*numbers), rows=rows)
            assert seen_by_others() == set()
            insert(3)
        assert seen_by_others() == {3}

    def test_commits_what_came_before(self) -> None:
        with transaction.atomic():
            insert(1)
            assert in_one(*inserting(2))
            assert seen_by_others() == {1, 2}

    def test_has_no_statement_after_it(self) -> None:
        with pytest.raises(TransactionManagementError):
            in_a_transaction(lambda: in_one(*inserting(1)), lambda: insert(2))
        assert seen_by_others() == {1}


@pytest.mark.usefixtures("mariadb")
class TestPartOfATransactionInOnePacket:
    @pytest.mark.parametrize("before", [(), (7,)])
    def test_waits_for_the_end(self, before: tuple[int, ...]) -> None:
        with transaction.atomic():
            insert(*before)
            assert in_one(*inserting(1, 2), ends_transaction=False)
            assert seen_by_others() == set()
            insert(3)
        assert seen_by_others() == {*before, 1, 2, 3}

    @pytest.mark.parametrize("before", [(), (7,)])
    @pytest.mark.parametrize(("numbers", "rows"), MISFITS)
    def test_leaves_nothing_of_what_does_not_fit(
        self, numbers: tuple[int, ...], rows: int, before: tuple[int, ...]
    ) -> None:
        with transaction.atomic():
            insert(*before)
            assert not in_one(*inserting(*numbers), rows=rows, ends_transaction=False)
            insert(3)
        assert seen_by_others() == {*before, 3}

    def test_may_come_again_and_within_a_savepoint(self) -> None:
        with transaction.atomic():
            assert in_one(*inserting(1), ends_transaction=False)
            with pytest.raises(KeyError):
                in_a_transaction(lambda: in_one(*inserting(2), ends_transaction=False), fail)
            with transaction.atomic():
                assert in_one(*inserting(3), ends_transaction=False)
                assert not in_one(*inserting(4, 4), ends_transaction=False)
        assert seen_by_others() == {1, 3}


@pytest.mark.usefixtures("mariadb")
@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("before", [(), (7,)])
class TestErrorInOnePacket:
    """Nothing may follow, even where the error is caught: a part may be there, or not even a transaction."""

    @pytest.fixture(params=["if it fits", "in any case"], autouse=True)
    def _way(self, request: pytest.FixtureRequest) -> None:
        self.if_it_fits = request.param == "if it fits"

    def send(self, *statements: Statement, ends: bool) -> None:
        if self.if_it_fits:
            in_one(*statements, ends_transaction=ends)
        else:
            with connection.cursor() as cursor:
                execute_all(cursor, statements, ends_transaction=ends)

    def refuse(self, statement: Statement, before: tuple[int, ...], ends: bool) -> BaseException:
        with transaction.atomic():
            insert(*before)
            with pytest.raises((DatabaseError, ValueError)) as caught:
                self.send(*inserting(1), statement, ends=ends)
            with pytest.raises((TransactionManagementError, OperationalError)):
                insert(2)
        insert(3)
        assert seen_by_others() == {3}
        return caught.value

    @pytest.mark.parametrize("code", [1205, 1213])
    def test_asks_to_run_it_again(self, before: tuple[int, ...], ends: bool, code: int) -> None:
        error = self.refuse((f"SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = {code}", ()), before, ends)
        assert error.args[0] == code

    def test_is_a_mistake_of_ours(self, before: tuple[int, ...], ends: bool) -> None:
        error = self.refuse(("INSERT INTO letters VALUES (1)", ()), before, ends)
        assert isinstance(error, ProgrammingError)

    def test_does_not_parse(self, before: tuple[int, ...], ends: bool) -> None:
        self.refuse(("SELEKT 1", ()), before, ends)

    def test_is_a_value_that_the_driver_refuses(self, before: tuple[int, ...], ends: bool) -> None:
        error = self.refuse(("INSERT INTO numbers VALUES (%s)", ["\ud800"]), before, ends)
        assert isinstance(error, UnicodeEncodeError)

    def test_is_a_lost_connection(self, before: tuple[int, ...], ends: bool) -> None:
        self.refuse(("KILL CONNECTION_ID()", ()), before, ends)


@pytest.mark.usefixtures("mariadb")
def test_what_cannot_be_undone_is_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is lost after the packet was refused, and somebody catches it."""
    with transaction.atomic():
        insert(1)
        real = MySQLdb.cursors.Cursor.execute

        def losing(cursor: Any, query: str, args: Any = None) -> Any:
            if query.startswith("ROLLBACK TO"):
                raise MySQLdb.OperationalError(2013, "Lost connection")
            return real(cursor, query, args)

        monkeypatch.setattr(MySQLdb.cursors.Cursor, "execute", losing)
        with pytest.raises(OperationalError):
            in_one(*inserting(2, 2), ends_transaction=False)
        with pytest.raises(TransactionManagementError):
            insert(3)
    assert seen_by_others() == set()
