"""The vault's table, and keys to change. Imports are inside: pytest reads this before Django is set up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings

FORMER = {"former": b"1" * 32}
BOTH = {"current": b"2" * 32, "former": b"1" * 32}
CURRENT = {"current": b"2" * 32}


@pytest.fixture(scope="session")
def vault_table(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    from django.db import connection

    from tests.foundation.encryption.vault import Account

    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Account)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Account)


@pytest.fixture
def vault(vault_table: None, settings: Settings) -> type[Any]:
    """The model, with one key that is called former."""
    from tests.foundation.encryption.vault import Account

    settings.ENCRYPTION_KEYS = FORMER
    settings.BLIND_INDEX_KEYS = {"former": b"3" * 32}
    return Account
