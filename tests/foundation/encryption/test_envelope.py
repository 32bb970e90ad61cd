"""What is sealed for one column of one row opens there and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from pytest_django import Settings
from structlog.testing import capture_logs

from foundation.encryption import (
    KeyUnknown,
    NotAnEnvelope,
    NotAuthentic,
    SealedBytes,
    new_file_key,
    open_bytes,
    open_file,
    open_text,
    seal_bytes,
    seal_file,
    seal_text,
)
from foundation.encryption.envelope import MAX_BYTES, key_id_of

HERE = {"column": "balance_bankaccount.iban", "row_id": "0" * 26}


def refusals(reason: str) -> float:
    labels = {"column": HERE["column"], "reason": reason}
    return REGISTRY.get_sample_value("preloved_foundation_unopened_secrets_total", labels) or 0.0


class TestOpen:
    @given(st.binary(max_size=200), st.text(min_size=1, max_size=20).filter(lambda t: "\0" not in t))
    @hypothesis_settings(max_examples=60, deadline=None)
    def test_gives_what_was_sealed_there_and_nothing_to_another_row_or_column(
        self, data: bytes, row: str
    ) -> None:
        row = row.encode("utf-8", "replace").decode()
        envelope = seal_bytes(data, column="a.b", row_id=row)
        assert open_bytes(envelope, column="a.b", row_id=row) == data
        for column, other in (("a.b", row + "1"), ("a.c", row), ("a.b" + row, row), ("a", "b" + row)):
            with pytest.raises(NotAuthentic):
                open_bytes(envelope, column=column, row_id=other)

    @given(st.binary(max_size=40), st.data())
    @hypothesis_settings(max_examples=60, deadline=None)
    def test_refuses_an_envelope_with_any_bit_changed(self, data: bytes, draw: st.DataObject) -> None:
        envelope = bytearray(seal_bytes(data, **HERE))
        envelope[draw.draw(st.integers(0, len(envelope) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
        with pytest.raises((NotAuthentic, KeyUnknown, NotAnEnvelope)):
            open_bytes(bytes(envelope), **HERE)

    def test_refuses_what_was_cut_off_or_never_sealed(self) -> None:
        for content in (b"", b"\x01", b"LT12", b"\x01\x00" + b"0" * 40, seal_bytes(b"", **HERE)[:-1]):
            with pytest.raises((NotAnEnvelope, NotAuthentic)):
                open_bytes(content, **HERE)

    def test_without_the_key_says_which_one_by_name(self, settings: Settings) -> None:
        envelope = seal_text("LT12", **HERE)
        settings.ENCRYPTION_KEYS = {"other": b"x" * 32}
        with pytest.raises(KeyUnknown, match=f"{HERE['row_id']}.*'test'"):
            open_text(envelope, **HERE)

    def test_with_another_key_of_the_same_id_is_refused_counted_and_logged_by_id_only(
        self, settings: Settings
    ) -> None:
        envelope = seal_text("LT121000011101001000", **HERE)
        settings.ENCRYPTION_KEYS = {"test": b"x" * 32}
        before = refusals("not_authentic")
        with capture_logs() as lines, pytest.raises(NotAuthentic):
            open_text(envelope, **HERE)
        assert refusals("not_authentic") == before + 1
        assert lines == [
            {
                "event": "sealed_value_not_opened",
                "log_level": "error",
                "key_id": "test",
                "reason": "not_authentic",
                **HERE,
            }
        ]


class TestSeal:
    def test_uses_the_first_key_and_never_the_same_bytes_twice(self, settings: Settings) -> None:
        settings.ENCRYPTION_KEYS = {"new": b"n" * 32, "test": b"t" * 32}
        first, second = seal_text("LT12", **HERE), seal_text("LT12", **HERE)
        assert key_id_of(first) == "new"
        assert first != second

    @pytest.mark.parametrize("place", [{"column": "", "row_id": "1"}, {"column": "a.b", "row_id": ""}])
    def test_needs_a_place(self, place: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="named column of a row"):
            seal_text("LT12", **place)

    def test_takes_a_document_of_20_megabytes_and_no_more(self) -> None:
        document = bytes(MAX_BYTES)
        assert open_bytes(seal_bytes(document, **HERE), **HERE) == document
        with pytest.raises(ValueError, match="at most"):
            seal_bytes(document + b"1", **HERE)


class TestFile:
    def key(self, row_id: str) -> SealedBytes:
        place = {"column": "dac7_document.file_key", "row_id": row_id}
        return SealedBytes(seal_bytes(new_file_key().reveal(), **place), **place)

    def test_opens_through_its_own_row_only(self) -> None:
        key = self.key("1")
        content = seal_file(key, b"%PDF")
        assert b"%PDF" not in content
        assert open_file(key, content) == b"%PDF"
        # The same key, moved to another row together with the file.
        copied = seal_bytes(key.reveal(), column=key.column, row_id="2")
        for wrong in (self.key("2"), SealedBytes(copied, column=key.column, row_id="2")):
            with pytest.raises(NotAuthentic):
                open_file(wrong, content)

    @pytest.mark.parametrize("cut", [slice(0, 3), slice(0, 20), slice(0, -1), slice(1, None)])
    def test_that_was_damaged_is_refused(self, cut: slice) -> None:
        key = self.key("1")
        with pytest.raises(NotAuthentic):
            open_file(key, seal_file(key, b"%PDF")[cut])

    def test_is_at_most_20_megabytes(self) -> None:
        with pytest.raises(ValueError, match="at most"):
            seal_file(self.key("1"), bytes(MAX_BYTES + 1))
