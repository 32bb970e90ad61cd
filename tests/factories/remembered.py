"""What hundreds of tests begin with is made by the services once in a process, then written as it was."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from members.models import Market

_WRITES = ("INSERT ", "UPDATE ", "DELETE ")


def remembered(load: Callable[[], None]) -> Callable[[], None]:
    """`load`, of which later calls only repeat the statements that the first one wrote with.

    They are repeated where no market is there yet, as nothing of this kind can be there without one;
    otherwise `load` runs. It has to write the same rows each time, and to need nothing but the rows.
    """
    written: list[tuple[str, Any, bool]] = []

    @functools.wraps(load)
    def run() -> None:
        if Market.objects.exists():
            load()
        elif written:
            with transaction.atomic(), connection.cursor() as cursor:
                for sql, params, many in written:
                    (cursor.executemany if many else cursor.execute)(sql, params)
        else:
            noted: list[tuple[str, Any, bool]] = []

            def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
                if sql.startswith(_WRITES):
                    noted.append((sql, params, many))
                return execute(sql, params, many, context)

            with connection.execute_wrapper(note):
                load()
            written.extend(noted)

    return run
