"""A table of numbers on a server, what is sent to it, and what others find there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from foundation.db import Statement, execute_all


def inserting(*numbers: int) -> list[Statement]:
    return [("INSERT INTO numbers VALUES (%s)", [number]) for number in numbers]


def insert(*numbers: int) -> None:
    with connection.cursor() as cursor:
        for statement in inserting(*numbers):
            cursor.execute(*statement)


def insert_in_one_packet(*numbers: int, ends_transaction: bool) -> None:
    with connection.cursor() as cursor:
        execute_all(cursor, inserting(*numbers), ends_transaction=ends_transaction)


def insert_many(*numbers: int) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO numbers VALUES (%s)", [[number] for number in numbers])


def lose_the_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("KILL CONNECTION_ID()")


def be_rolled_back(code: int) -> None:
    """As by a server that chose this transaction to end a deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("ROLLBACK")
        cursor.execute(f"SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = {code}")


def fail() -> None:
    raise KeyError


def in_a_transaction(*actions: Callable[[], object]) -> None:
    with transaction.atomic():
        for action in actions:
            action()


def seen_by_others() -> set[int]:
    """What another connection finds."""

    def read() -> set[int]:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM numbers")
                return {row[0] for row in cursor.fetchall()}
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(read).result(20)


def executed() -> dict[str, int]:
    """How many statements of each kind this session has executed, asked outside of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SHOW SESSION STATUS WHERE Variable_name IN"
            " ('Com_begin', 'Com_commit', 'Com_rollback', 'Com_set_option', 'Com_insert')"
        )
        return {name.removeprefix("Com_"): int(value) for name, value in cursor.fetchall()}


class Counted:
    """The statements that the server executed in the block, by kind; those that are none are left out."""

    def __enter__(self) -> dict[str, int]:
        self.before = executed()
        self.found: dict[str, int] = {}
        return self.found

    def __exit__(self, *_: object) -> None:
        after = executed()
        self.found.update(
            {kind: after[kind] - count for kind, count in self.before.items() if after[kind] > count}
        )
