"""Statements of a fixed shape, made into SQL once (docs/adr/0013).

Building and compiling a queryset takes longer than the database needs for a short statement. Here both are
done at the first call and kept, which Entity Framework knows as a compiled query. It is for the statements
that every order passes through; everywhere else a plain queryset reads better and is as good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesListIterable
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")

ROWS_AT_ONCE = 500


class Arg(Expression):
    """Stands in a queryset for a value that each call brings: ``filter(id=Arg("order_id"))``.

    Nothing converts it but what `_adapted` says: texts, whole numbers, truth values and moments.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """A mark, with the argument itself in place of its value."""
        return "%s", (self,)

    def __str__(self) -> str:
        # Some lookups make a text of what they get (`order_id__in`; `order__id__in` does not).
        raise TypeError(f"the argument {self.name!r} was taken for a value")


def args(name: str, count: int) -> list[Arg]:
    """So many for one lookup: ``filter(id__in=args("id", 2))``, called with ``**named("id", ids)``."""
    return [Arg(f"{name}{place}") for place in range(count)]


def named(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """The values of ``args``."""
    return {f"{name}{place}": value for place, value in enumerate(values)}


@dataclass(frozen=True, slots=True)
class _Plan:
    sql: str
    params: tuple[Any, ...]
    converters: tuple[tuple[int, list[Any], Any], ...]
    make: Callable[[list[Any]], Any]
    is_locking: bool


_NOTHING = _Plan("", (), (), tuple, False)
"""Of what can have no rows: `IN ()`."""


class CompiledQuery(Generic[Row]):
    """A queryset that is built when it is first asked for; it may give instances or a values_list.

    Its lookups may hold `Arg`s. It neither follows relations nor prefetches.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        self._build = build
        self._plans: dict[str, _Plan] = {}

    def all(self, **values: Any) -> list[Row]:
        """The rows, with the arguments' values by name. KeyError for one that is missing."""
        plan = self._plans.get(connection.vendor)
        if plan is None:
            plan = self._plans[connection.vendor] = _compile(self._build())
        if plan is _NOTHING:
            return []
        if plan.is_locking and not connection.in_atomic_block:
            raise TransactionManagementError("a lock lasts as long as a transaction: begin one")
        params = [_adapted(values[one.name]) if isinstance(one, Arg) else one for one in plan.params]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, params)
            found = cursor.fetchall()
        return [plan.make(_converted(row, plan)) for row in found]

    def find(self, **values: Any) -> Row | None:
        """The row that a unique key names, or None."""
        return next(iter(self.all(**values)), None)


def _compile(queryset: QuerySet[Any, Any]) -> _Plan:
    query = queryset.query
    if query.select_related:
        raise ValueError("a compiled query follows no relations")
    compiler = query.get_compiler(connection=connection)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return _NOTHING
    expressions = [column[0] for column in compiler.select]
    converters = compiler.get_converters(expressions)
    return _Plan(
        sql=sql,
        params=tuple(params),
        converters=tuple((place, found, expression) for place, (found, expression) in converters.items()),
        make=_maker(queryset, [getattr(one, "target", None) for one in expressions]),
        is_locking=query.select_for_update,
    )


def _maker(queryset: QuerySet[Any, Any], targets: Sequence[Any]) -> Callable[[list[Any]], Any]:
    kind = queryset._iterable_class
    if kind is ModelIterable:
        model, names = queryset.model, [target.attname for target in targets]
        return lambda row: model.from_db(connection.alias, names, row)
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return tuple
    raise ValueError(f"a compiled query gives instances or a values_list, not {kind.__name__}")


def _converted(row: Sequence[Any], plan: _Plan) -> list[Any]:
    values = list(row)
    for place, converters, expression in plan.converters:
        for convert in converters:
            values[place] = convert(values[place], expression, connection)
    return values


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def save_row(row: Model) -> None:
    """As ``row.save(force_update=True)``, without signals: every column of a row that is there.

    Raises DatabaseError when it is not.
    """
    fields, sql = _update_of(type(row), connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*_values(row, fields), row.pk])
        if not cursor.rowcount:
            raise DatabaseError(f"there is no {row._meta.label} {row.pk}")


def insert_rows(rows: Sequence[Model], *, ignores_known: bool = False) -> None:
    """As ``bulk_create(rows, ignore_conflicts=ignores_known)``, without reading back what the database
    numbered, and without leaving the transaction unusable when a row is refused.
    """
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        fields, head, marks = _insert_of(type(chunk[0]), ignores_known, connection.vendor)
        sql = head + ", ".join([marks] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for row in chunk for value in _values(row, fields, adds=True)])
        for row in chunk:
            row._state.adding, row._state.db = False, connection.alias


def _values(row: Model, fields: Sequence[Field[Any, Any]], *, adds: bool = False) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(row, adds), connection) for field in fields]


_Fields: TypeAlias = "tuple[Field[Any, Any], ...]"


@cache
def _update_of(model: type[Model], vendor: str) -> tuple[_Fields, str]:
    meta = model._meta
    fields = tuple(field for field in meta.local_concrete_fields if not field.primary_key)
    changes = ", ".join(f"{_quoted(field.column)} = %s" for field in fields)
    return fields, f"UPDATE {_quoted(meta.db_table)} SET {changes} WHERE {_quoted(meta.pk.column)} = %s"  # noqa: S608  # our own names


@cache
def _insert_of(model: type[Model], ignores_known: bool, vendor: str) -> tuple[_Fields, str, str]:
    meta = model._meta
    fields = tuple(field for field in meta.local_concrete_fields if not field.db_returning)
    columns = ", ".join(_quoted(field.column) for field in fields)
    verb = connection.ops.insert_statement(on_conflict=OnConflict.IGNORE if ignores_known else None)
    marks = ", ".join(["%s"] * len(fields))
    return fields, f"{verb} {_quoted(meta.db_table)} ({columns}) VALUES ", f"({marks})"


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
