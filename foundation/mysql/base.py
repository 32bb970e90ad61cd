"""Django's backend for MySQL and MariaDB, with fewer round trips (docs/adr/0014-fewer-round-trips.md).

Django opens a transaction by SET autocommit=0 and ends it by COMMIT and SET autocommit=1, and waits for the
network each time. Here a transaction begins in the packet of its first statement, or not at all if there is
none; the session stays in autocommit; and whoever knows which statements are the last may commit with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

from django.db.backends.mysql import base
from django.db.transaction import TransactionManagementError
from django.db.utils import IntegrityError
from MySQLdb import OperationalError

from foundation.db import Statement

# Deadlock; "record has changed since last read" of newer MariaDB.
ROLLED_BACK_BY_THE_SERVER = frozenset({1213, 1020})
SIGNALLED = 1644  # by a SIGNAL of ours


def is_of_the_server(error: Exception) -> bool:
    """Whether the server or the connection to it said so, which give numbers."""
    return bool(error.args) and isinstance(error.args[0], int)


class Server(Enum):
    """Where the server is, as seen from the transaction that Django believes to be open."""

    WITH_US = auto()  # also outside of a transaction
    NOT_BEGUN = auto()
    COMMITTED = auto()


class CursorWrapper(base.CursorWrapper):
    """Begins the transaction with its first statement."""

    def __init__(self, cursor: Any, wrapper: DatabaseWrapper) -> None:
        super().__init__(cursor)
        self.wrapper = wrapper

    def execute(self, query: str, args: Any = None) -> Any:
        """As Django's. Raises TransactionManagementError after the last statements of a transaction."""
        is_first = self.wrapper.server is not Server.WITH_US
        if is_first:
            self.wrapper.begin()
        try:
            if not is_first:
                return super().execute(query, args)
            super().execute(f"BEGIN; {query}", args)
            self.cursor.nextset()
        except OperationalError as error:
            raise self.wrapper.classed(error) from error
        except Exception as error:
            if is_first and not is_of_the_server(error):
                # The driver refused a value and sent nothing; or a signal's handler raised, and it was sent.
                self.wrapper.take_back()
            raise
        return self.cursor.rowcount

    def executemany(self, query: str, args: Any) -> Any:
        """As Django's."""
        if self.wrapper.server is not Server.WITH_US:
            self.execute("DO 0")  # the driver takes the query apart, and knows none with another before it
        return super().executemany(query, args)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of Django's."""

    server = Server.WITH_US

    def begin(self) -> None:
        """Told by the cursor that sends BEGIN."""
        if self.server is Server.COMMITTED:
            raise TransactionManagementError("The last statements of this transaction have been sent.")
        self.server = Server.WITH_US

    def execute_all(self, cursor: Any, statements: Sequence[Statement], *, and_commit: bool) -> None:
        """Send statements whose answers nobody needs in one packet; the server stops at the first error."""
        packet = "; ".join([sql for sql, _ in statements])
        if and_commit:
            packet += "; COMMIT"
        if self.mysql_is_mariadb:
            # One answer; else each statement's own would wake us up. MySQL has this in procedures only.
            packet = f"BEGIN NOT ATOMIC {packet}; END"
        try:
            cursor.execute(packet, [value for _, values in statements for value in values])
            with self.wrap_database_errors:
                try:
                    while self.connection.next_result() == 0:
                        self.connection.discard_result()
                except OperationalError as error:
                    raise self.classed(error) from error
        except Exception as error:
            if not isinstance(error, IntegrityError):
                self.needs_rollback = True  # some of it may be there
            raise
        if and_commit:
            self.server = Server.COMMITTED

    def execute_at_once(
        self, cursor: Any, statements: Sequence[Statement], rows: int, *, and_commit: bool
    ) -> bool:
        """Send statements in one packet; the server stops if the first does not change so many rows."""
        is_first = self.server is not Server.WITH_US
        if is_first:
            self.begin()
        first, *others = [sql for sql, _ in statements]
        packet = [
            "START TRANSACTION" if is_first else "SAVEPOINT at_once",
            first,
            f"IF ROW_COUNT() <> {rows} THEN SIGNAL SQLSTATE '45000'; END IF",
            *others,
        ]
        if and_commit:
            packet.append("COMMIT")
        try:
            cursor.execute(
                f"BEGIN NOT ATOMIC {'; '.join(packet)}; END",
                [value for _, values in statements for value in values],
            )
        except Exception as error:
            if not isinstance(error, IntegrityError) and SIGNALLED not in error.args[:1]:
                self.needs_rollback = True  # some of it may be there, or not even a transaction
                raise
            try:
                if is_first:
                    self.take_back()
                else:
                    cursor.execute("ROLLBACK TO SAVEPOINT at_once")
            except BaseException:
                self.needs_rollback = True
                raise
            return False
        if and_commit:
            self.server = Server.COMMITTED
        return True

    def take_back(self) -> None:
        """Undo what the server may have begun, as if nothing had been sent."""
        self._rollback()
        self.server = Server.NOT_BEGUN

    def classed(self, error: Exception) -> Exception:
        """The error as Django classes it, which looks at a packet's first answer only.

        After some the server has rolled back. Then it is in autocommit again, and whatever followed in this
        transaction would be there at once and for good: nothing may, until it has ended for Django too.
        """
        if error.args[0] in ROLLED_BACK_BY_THE_SERVER and self.in_atomic_block:
            self.needs_rollback = True
        if error.args[0] in CursorWrapper.codes_for_integrityerror:
            return IntegrityError(*error.args)
        return error

    # What Django calls.

    def create_cursor(self, name: str | None = None) -> CursorWrapper:
        """A cursor that begins transactions."""
        return CursorWrapper(self.connection.cursor(), self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """As Django's; nothing has begun on a new connection."""
        self.server = Server.WITH_US
        return super().get_new_connection(conn_params)

    def _start_transaction_under_autocommit(self) -> None:
        # Django's way for a database that must not leave autocommit, its SQLite.
        self.server = Server.NOT_BEGUN

    def _commit(self) -> None:
        if self._ends_on_the_server():
            super()._commit()  # type: ignore[misc]  # the stubs do not know it

    def _rollback(self) -> None:
        if self._ends_on_the_server():
            super()._rollback()  # type: ignore[misc]  # nor it

    def _ends_on_the_server(self) -> bool:
        is_open_there = self.server is Server.WITH_US
        self.server = Server.WITH_US
        return is_open_there
