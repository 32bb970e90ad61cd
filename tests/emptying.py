"""Takes back what a test, or the tests of a module, committed."""

from __future__ import annotations

from django.db import connection

from balance import append_only
from balance.services.posting import forget_opened_accounts

# Filled by migrating; Django's own flush would fill them anew after every test, which takes seconds.
KEPT_TABLES = frozenset({"django_content_type", "auth_permission"})


def empty_the_tables() -> None:
    """Delete all rows but those of KEPT_TABLES, of the tables that have any."""
    forget_opened_accounts()
    tables = sorted(set(connection.introspection.django_table_names()) - KEPT_TABLES)
    quoted = [connection.ops.quote_name(table) for table in tables]
    with connection.cursor() as cursor:
        has_rows = ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in quoted)  # noqa: S608  # names of ours
        cursor.execute(f"SELECT {has_rows}")
        filled = [table for table, found in zip(tables, cursor.fetchone(), strict=True) if found]
        protected = [table for table in filled if table in append_only.PROTECTED]
        if protected:  # the ledger's triggers refuse it
            with connection.schema_editor() as editor:
                append_only.remove(editor, protected)
        with connection.constraint_checks_disabled():
            for table in filled:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608
        if protected:
            with connection.schema_editor() as editor:
                append_only.install(editor, protected)
