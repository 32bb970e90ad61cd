"""Encrypted columns of a model: how they are written, read, searched and kept out of sight."""

from __future__ import annotations

import pickle
from typing import Any

import orjson
import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, transaction
from django.views.debug import ExceptionReporter
from pytest_django import Settings

from foundation.api.rendering import dumps
from foundation.encryption import (
    NotAuthentic,
    SecretText,
    blind_index,
    column_of,
    matching,
    sealed,
)
from foundation.ids import new_id

pytestmark = pytest.mark.django_db

IBAN, OTHER_IBAN = "LT121000011101001000", "DE89370400440532013000"


def stored(account: Any, column: str = "iban") -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM vault_account WHERE id = %s", [account.id])  # noqa: S608
        return bytes(cursor.fetchone()[0])


class TestAssign:
    def test_seals_at_once_and_reads_back_from_the_database(self, vault: Any) -> None:
        account = vault(iban=IBAN, number=SecretText("301"))
        assert IBAN not in repr(account.__dict__)
        account.save()
        assert IBAN.encode() not in stored(account)
        again = vault.objects.get(id=account.id)
        assert (again.iban.reveal(), again.number.reveal(), again.file_key) == (IBAN, "301", None)

    def test_works_for_bulk_create_deferred_columns_and_refresh(self, vault: Any) -> None:
        first, second = vault(iban=IBAN), vault(iban=OTHER_IBAN)
        vault.objects.bulk_create([first, second])
        lazy = vault.objects.only("name").get(id=first.id)
        assert lazy.iban.reveal() == IBAN
        second.refresh_from_db()
        assert second.iban.reveal() == OTHER_IBAN
        second.iban, second.number = IBAN + "1", "7"
        vault.objects.bulk_update([second], ["iban", "number"])
        assert vault.objects.get(id=second.id).iban.reveal() == IBAN + "1"

    def test_refuses_a_value_that_is_too_long_of_another_kind_or_of_another_row(self, vault: Any) -> None:
        account = vault(iban=IBAN)
        with pytest.raises(ValueError, match="at most 34"):
            account.iban = "1" * 35
        with pytest.raises(TypeError, match="not int"):
            account.iban = 12
        with pytest.raises(TypeError, match="not str"):
            account.file_key = "text"
        with pytest.raises(ValueError, match="sealed for another place"):
            vault(iban=account.iban)
        with pytest.raises(ValueError, match="sealed for another place"):
            account.number = account.iban
        with pytest.raises(ValueError, match="its id first"):
            vault(id=None, iban=IBAN)

    def test_copying_an_instance_to_a_new_id_does_not_pass_for_a_new_value(self, vault: Any) -> None:
        account = vault.objects.create(iban=IBAN)
        account.pk = new_id()
        with pytest.raises(NotAuthentic):
            account.save(force_insert=True)

    def test_a_missing_value_is_refused_by_the_database(self, vault: Any) -> None:
        with pytest.raises(IntegrityError):
            vault(name="none").save()


class TestUpdate:
    def test_takes_only_what_was_sealed_for_this_column(self, vault: Any) -> None:
        account = vault.objects.create(iban=IBAN)
        rows = vault.objects.filter(id=account.id)
        rows.update(iban=sealed(vault, "iban", row_id=account.id, value=OTHER_IBAN))
        assert rows.get().iban.reveal() == OTHER_IBAN
        for value in (OTHER_IBAN, SecretText(OTHER_IBAN), b"1", account.iban.envelope):
            with pytest.raises(TypeError, match="seal the value"), transaction.atomic():
                rows.update(iban=value)
        with pytest.raises(TypeError, match="seal the value"), transaction.atomic():
            rows.update(iban=sealed(vault, "number", row_id=account.id, value="1"))
        rows.update(number=None)

    def test_of_many_rows_at_once_leaves_none_that_opens_a_stranger_s_value(self, vault: Any) -> None:
        mine, theirs = vault.objects.create(iban=IBAN), vault.objects.create(iban=OTHER_IBAN)
        vault.objects.all().update(iban=mine.iban)
        theirs.refresh_from_db()
        with pytest.raises(NotAuthentic):
            theirs.iban.reveal()


class TestMovedInTheDatabase:
    def test_does_not_open_in_another_row_or_column(self, vault: Any) -> None:
        mine, theirs = vault.objects.create(iban=IBAN), vault.objects.create(iban=OTHER_IBAN)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE vault_account SET iban = %s, number = %s WHERE id = %s",
                [stored(theirs), stored(mine), mine.id],
            )
        mine = vault.objects.defer("iban_index", "number_index").get(id=mine.id)
        for secret in (mine.iban, mine.number):
            with pytest.raises(NotAuthentic):
                secret.reveal()


class TestSearch:
    def test_finds_equal_values_of_one_column_only(self, vault: Any) -> None:
        account = vault.objects.create(iban=IBAN, number=IBAN)
        assert list(vault.objects.filter(matching(vault, "iban", IBAN))) == [account]
        assert not vault.objects.filter(matching(vault, "iban", IBAN.lower())).exists()
        assert account.iban_index != account.number_index
        assert blind_index(IBAN, column=column_of(vault, "iban")) == account.iban_index

    def test_follows_every_save(self, vault: Any) -> None:
        account = vault.objects.create(iban=IBAN, number="1")
        account.iban = OTHER_IBAN + "1"
        vault.objects.bulk_update([account], ["iban", "iban_index"])
        assert vault.objects.filter(matching(vault, "iban", OTHER_IBAN + "1")).count() == 1
        account.iban, account.number = OTHER_IBAN, None
        account.save()
        assert vault.objects.filter(matching(vault, "iban", OTHER_IBAN)).count() == 1
        assert vault.objects.get(id=account.id).number_index is None

    def test_keeps_a_second_row_of_the_same_value_out(self, vault: Any) -> None:
        vault.objects.create(iban=IBAN)
        with pytest.raises(IntegrityError):
            vault.objects.create(iban=IBAN)

    def test_finds_rows_of_the_former_index_key_too(self, vault: Any, settings: Settings) -> None:
        account = vault.objects.create(iban=IBAN)
        settings.BLIND_INDEX_KEYS = {"current": b"4" * 32, **settings.BLIND_INDEX_KEYS}
        assert vault.objects.get(matching(vault, "iban", IBAN)) == account

    @pytest.mark.parametrize("lookup", ["iban", "iban__startswith", "iban__in", "iban__gt"])
    def test_by_the_column_itself_is_refused(self, vault: Any, lookup: str) -> None:
        with pytest.raises(FieldError):
            vault.objects.filter(**{lookup: [IBAN]})
        assert not vault.objects.filter(iban__isnull=True).exists()

    def test_of_a_column_without_index_is_refused(self, vault: Any) -> None:
        with pytest.raises(TypeError, match="no blind index"):
            matching(vault, "file_key", IBAN)
        with pytest.raises(TypeError, match="not encrypted"):
            column_of(vault, "name")


class TestSight:
    def test_the_value_shows_up_nowhere_by_itself(self, vault: Any) -> None:
        account = vault(iban=IBAN)
        for secret in (account.iban, SecretText(IBAN)):
            assert IBAN not in f"{secret!r} {secret} {secret:>40}"
            assert "********" in str(secret)
            for write in (pickle.dumps, dumps):
                with pytest.raises(TypeError):
                    write(secret)
        assert IBAN not in repr(account.__dict__) + repr(vars(account))

    def test_an_error_report_masks_it(self, vault: Any, settings: Settings) -> None:
        """Django's own report holds every local variable of every frame."""
        account = vault(iban=IBAN)
        settings.ENCRYPTION_KEYS = {}
        try:
            account.iban = OTHER_IBAN[::-1]
        except StopIteration as error:
            frames = ExceptionReporter(None, type(error), error, error.__traceback__).get_traceback_frames()
        ours = [frame for frame in frames if "encryption/envelope" in frame["filename"]]
        assert ours
        assert OTHER_IBAN[::-1] not in repr([frame["vars"] for frame in ours])

    def test_a_fixture_holds_the_envelope_and_loads_it_again(self, vault: Any) -> None:
        account = vault.objects.create(iban=IBAN)
        fixture = serializers.serialize("json", [account])
        assert IBAN not in fixture
        written = orjson.loads(fixture)[0]["fields"]
        fields = {name: vault._meta.get_field(name).to_python(value) for name, value in written.items()}
        assert vault(id=account.id, **fields).iban.reveal() == IBAN
