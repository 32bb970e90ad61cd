from __future__ import annotations

import pytest

from dac7.message.reading import RefusedXml
from dac7.message.statuses import MessageStatus, RecordError, read_status
from tests.dac7.message.statuses import oecd_status, status


class TestReadStatus:
    def test_accepted(self) -> None:
        assert read_status(status("m1")) == MessageStatus("m1", True, (), ())

    def test_accepted_but_for_a_record_in_plain_words(self) -> None:
        read = read_status(status("m1", records=[("98001", ["a", "b"])]))
        assert read.record_errors == (RecordError("98001", ("a", "b")),)
        assert (
            read.record_errors[0].words == "The TIN is not one of the state that is said to have issued it."
        )

    def test_rejected_as_a_whole(self) -> None:
        assert read_status(status("m1", result="Rejected", files=["50009"])).file_errors == ("50009",)

    def test_the_form_of_the_oecd(self) -> None:
        assert read_status(oecd_status("m1", code="80000", ref="a")) == MessageStatus(
            "m1", True, (), (RecordError("80000", ("a",)),)
        )


class TestBadStatusFiles:
    @pytest.mark.parametrize(
        ("document", "rule"),
        [
            (b"<!DOCTYPE x>" + status("m1"), "doctype"),
            (status("m1")[:-9], "not_well_formed"),
            (b"accepted!", "not_well_formed"),
            (status("m1").decode().encode("utf-16"), "encoding"),
            (b"<Answer>yes</Answer>", "status_form_unknown"),
            (status("m1", result="Maybe"), "status_schema"),
            (status("m1", records=[("98001", [])]), "status_schema"),
            (status("", records=[]), "status_schema"),
            (status("m1", records=[("12345", ["a"])]), "status_code_unknown"),
            (status("m1", result="Rejected", files=["98001"]), "status_code_unknown"),
            (status("m1", files=["50009"]), "status_contradicts_itself"),
            (oecd_status("m1", code="80000", ref=""), "status_schema"),
            (oecd_status("", code="80000", ref="a"), "status_schema"),
        ],
    )
    def test_are_refused_by_name(self, document: bytes, rule: str) -> None:
        with pytest.raises(RefusedXml) as raised:
            read_status(document)
        assert raised.value.rule == rule

    def test_an_endless_file_is_not_read(self) -> None:
        with pytest.raises(RefusedXml) as raised:
            read_status(b" " * 50_000_001)
        assert raised.value.rule == "too_large"
