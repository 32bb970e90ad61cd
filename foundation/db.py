"""The outermost transaction of a service, retried when the server asks for it."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from foundation import metrics

Statement = tuple[str, Sequence[Any]]
"""SQL, and the values for its marks."""

P = ParamSpec("P")
R = TypeVar("R")

# Lock wait timeout, deadlock, and "record has changed since last read" (newer MariaDB). 1205 rolls
# back one statement only, so the whole transaction has to be left and run again.
RETRYABLE_MYSQL_ERRORS = frozenset({1205, 1213, 1020})
ATTEMPTS = 5
FIRST_PAUSE_S = 0.01


def is_retryable(error: OperationalError) -> bool:
    """Whether the server says that the same transaction may succeed when run again."""
    code = error.args[0] if error.args else None
    cause = error.__cause__
    if not isinstance(code, int) and cause is not None and cause.args:
        code = cause.args[0]
    return code in RETRYABLE_MYSQL_ERRORS


def atomic_retry(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in one transaction; when it is the outermost, retry deadlocks and lock timeouts.

    Inside another transaction it opens no savepoint and never retries: the outer one decides.
    The function must therefore have no effect outside the database (use transaction.on_commit).
    A callback of on_commit that fails is never a reason to run the function again.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            committed: list[bool] = []
            try:
                with transaction.atomic():
                    # The first callback to run, so it runs whenever the commit succeeded.
                    transaction.on_commit(functools.partial(committed.append, True))
                    return function(*args, **kwargs)
            except OperationalError as error:
                if committed or attempt == ATTEMPTS or not is_retryable(error):
                    raise
                metrics.TRANSACTION_RETRIES.inc()
                # Full jitter, so that two transactions that met once do not meet again.
                time.sleep(random.uniform(0, FIRST_PAUSE_S * 2**attempt))  # noqa: S311  # not a secret
        raise AssertionError("unreachable: the last attempt returns or raises")

    return run


def execute_all(cursor: CursorWrapper, statements: Sequence[Statement], *, ends_transaction: bool) -> None:
    """Execute statements whose answers nobody needs, in one packet where the server takes it.

    The server stops at the first error. ``ends_transaction`` says that nothing else happens in the outermost
    transaction: then it is committed by the same packet, if without an error.
    """
    if cursor.db.vendor == "mysql":
        cursor.db.execute_all(cursor, statements, and_commit=ends_transaction)
    else:
        for sql, values in statements:
            cursor.execute(sql, values)


def can_execute_at_once(cursor: CursorWrapper) -> bool:
    """Whether the server can decide inside of a packet (MariaDB's compound statements)."""
    return cursor.db.vendor == "mysql" and bool(cursor.db.mysql_is_mariadb)


def execute_at_once(
    cursor: CursorWrapper, statements: Sequence[Statement], *, rows: int, ends_transaction: bool
) -> bool:
    """Execute statements in one packet, if the first one changes just so many ``rows``.

    False: nothing has happened, since it changed another number, or something was refused by a constraint or
    a trigger; the transaction may then go on. ``ends_transaction`` as in ``execute_all``.
    """
    return bool(cursor.db.execute_at_once(cursor, statements, rows, and_commit=ends_transaction))
