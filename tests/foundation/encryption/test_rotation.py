"""Keys are rotated while the service runs; nothing that a member wrote meanwhile is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from foundation.encryption import SealedText, column_of, matching, open_text
from foundation.encryption.envelope import key_id_of
from foundation.encryption.rotation import encrypted_columns, key_use, rotate
from tests.foundation.encryption.conftest import BOTH, CURRENT, FORMER

ROWS = 25


@pytest.fixture
def accounts(vault: Any) -> list[Any]:
    return [vault.objects.create(iban=f"LT{n:018}", number=str(n) if n % 2 else None) for n in range(ROWS)]


def column(vault: Any, name: str) -> Any:
    return vault._meta.get_field(name)


def use_both_keys(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = BOTH
    settings.BLIND_INDEX_KEYS = {"current": b"4" * 32, "former": b"3" * 32}


@pytest.mark.django_db
class TestRotate:
    def test_leaves_every_value_readable_without_the_former_key(
        self, vault: Any, accounts: list[Any], settings: Settings
    ) -> None:
        use_both_keys(settings)
        changed = {field.name: rotate(field, batch=7).changed for field in encrypted_columns([vault])}
        assert changed == {"file_key": 0, "iban": ROWS, "iban_index": ROWS, "number": 12, "number_index": 12}
        settings.ENCRYPTION_KEYS = CURRENT
        settings.BLIND_INDEX_KEYS = {"current": b"4" * 32}
        for n, account in enumerate(accounts):
            again = vault.objects.get(matching(vault, "iban", f"LT{n:018}"))
            assert again.id == account.id
            assert again.iban.reveal() == f"LT{n:018}"
            assert (again.number.reveal() if again.number else None) == (str(n) if n % 2 else None)

    def test_twice_finds_nothing_to_do(self, vault: Any, accounts: list[Any], settings: Settings) -> None:
        use_both_keys(settings)
        assert rotate(column(vault, "iban")).changed == ROWS
        assert rotate(column(vault, "iban")).changed == 0

    def test_goes_on_where_it_was_stopped(self, vault: Any, accounts: list[Any], settings: Settings) -> None:
        use_both_keys(settings)
        early = accounts[:10]
        for account in early:
            account.iban = account.iban.reveal()
            account.save()
        assert key_use(column(vault, "iban")) == {"current": 10, "former": 15, "": 0}
        assert rotate(column(vault, "iban")).changed == 15

    def test_says_how_many_it_cannot_read_and_does_the_others(
        self, vault: Any, accounts: list[Any], settings: Settings
    ) -> None:
        use_both_keys(settings)
        vault.objects.filter(id=accounts[3].id).update(iban=accounts[4].iban)
        done = rotate(column(vault, "iban"), batch=2)
        assert (done.changed, done.unreadable) == (ROWS - 1, 1)
        settings.ENCRYPTION_KEYS = CURRENT
        assert key_use(column(vault, "iban")) == {"current": ROWS - 1, "": 1}

    def test_names_equal_values_that_two_index_keys_kept_apart(
        self, vault: Any, accounts: list[Any], settings: Settings
    ) -> None:
        use_both_keys(settings)
        vault.objects.create(iban=f"LT{3:018}")  # under the current index key, so UNIQUE lets it pass
        done = rotate(column(vault, "iban_index"))
        assert (done.changed, done.duplicate) == (ROWS - 1, 1)


@pytest.mark.django_db
class TestRenamedColumn:
    def test_opens_under_the_name_it_was_sealed_for(self, vault: Any, accounts: list[Any]) -> None:
        field = column(vault, "iban")
        *_, kwargs = field.deconstruct()
        assert "sealed_as" not in kwargs
        renamed = field.clone()
        renamed.sealed_as = column_of(vault, "iban")
        renamed.model, renamed.column = field.model, "account_number"
        assert renamed.place == "vault_account.iban"
        assert renamed.deconstruct()[3]["sealed_as"] == "vault_account.iban"
        place = {"column": renamed.place, "row_id": accounts[1].id}
        assert SealedText(accounts[1].iban.envelope, **place).reveal() == f"LT{1:018}"


@pytest.mark.needs_server
@pytest.mark.django_db(transaction=True)
class TestRotateBesideWriters:
    @pytest.fixture(autouse=True)
    def _leaves_no_rows(self, vault: Any) -> Iterator[None]:
        """The table belongs to no app, so it is not among those that are emptied after a test."""
        yield
        vault.objects.all().delete()

    def test_keeps_what_was_written_last(self, vault: Any, accounts: list[Any], settings: Settings) -> None:
        """One process still seals with the former key, one already with the current, two rotate."""
        use_both_keys(settings)
        stop = threading.Event()
        written: dict[str, str] = {}
        wrong: list[Exception] = []

        def thread(work: Callable[[], None]) -> threading.Thread:
            def run() -> None:
                try:
                    work()
                except Exception as error:  # noqa: BLE001  # whatever it is, the test tells
                    wrong.append(error)
                finally:
                    connection.close()

            started = threading.Thread(target=run)
            started.start()
            return started

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                account = vault.objects.get(id=accounts[number % ROWS].id)
                account.iban = f"DE{number:018}"
                account.save()
                written[account.id] = f"DE{number:018}"

        def rotate_again() -> None:
            for _ in range(6):
                for field in encrypted_columns([vault]):
                    rotate(field, batch=5)

        writer = thread(write)
        rotators = [thread(rotate_again), thread(rotate_again)]
        for rotator in rotators:
            rotator.join(60)
        stop.set()
        writer.join(60)
        assert not wrong
        assert written
        for field in encrypted_columns([vault]):
            rotate(field)
        settings.ENCRYPTION_KEYS = CURRENT
        settings.BLIND_INDEX_KEYS = {"current": b"4" * 32}
        for account_id, text in written.items():
            assert vault.objects.get(matching(vault, "iban", text)).id == account_id
            envelope = vault.objects.values_list("iban", flat=True).get(id=account_id)
            assert open_text(envelope, column=column_of(vault, "iban"), row_id=account_id) == text

    def test_gives_way_to_a_writer_between_its_reading_and_its_writing(
        self, vault: Any, accounts: list[Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from foundation.encryption import rotation

        settings.ENCRYPTION_KEYS = BOTH
        original = rotation._write

        def write_late(*args: Any) -> None:
            # A process that does not know the new key yet.
            settings.ENCRYPTION_KEYS = FORMER
            account = vault.objects.get(id=accounts[0].id)
            account.iban = "LT99"
            account.save()
            settings.ENCRYPTION_KEYS = BOTH
            original(*args)

        monkeypatch.setattr(rotation, "_write", write_late)
        done = rotate(column(vault, "iban"))
        assert (done.changed, done.overtaken) == (ROWS - 1, 1)
        account = vault.objects.get(id=accounts[0].id)
        assert account.iban.reveal() == "LT99"
        assert key_id_of(account.iban.envelope) == "former"
