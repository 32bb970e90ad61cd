from __future__ import annotations

import pytest

from dac7.message.statuses import MessageStatus, RecordError, masked, read_status, words_of
from foundation.xml_reading import RefusedXml
from tests.dac7.message.statuses import FORMS, oecd_status, status


class TestReadStatus:
    def test_accepted(self) -> None:
        assert read_status(status("m1")) == MessageStatus("m1", True, (), ())

    def test_accepted_but_for_a_record_in_plain_words(self) -> None:
        read = read_status(status("m1", records=[("98001", ["a", "b"])]))
        assert read.record_errors == (RecordError("98001", ("a", "b"), "see 98001"),)
        words = "The TIN is not one of the state that is said to have issued it."
        assert words_of("98001", "sandbox") == words

    def test_rejected_as_a_whole(self) -> None:
        assert read_status(status("m1", result="Rejected", files=["50009"])).file_errors == ("50009",)

    @pytest.mark.parametrize("form", FORMS)
    def test_the_forms_of_the_oecd(self, form: str) -> None:
        assert read_status(oecd_status("m1", code="80000", ref="a", form=form)) == MessageStatus(
            "m1", True, (), (RecordError("80000", ("a",)),)
        )

    @pytest.mark.parametrize("code", ["98001", "98999", "99999"])
    def test_a_rule_of_an_authoritys_own_is_told_in_its_words(self, code: str) -> None:
        read = read_status(oecd_status("m1", code=code, ref="a", details="Adresse unvollständig"))
        assert read.record_errors == (RecordError(code, ("a",), "Adresse unvollständig"),)
        assert words_of(code, "de") == "It breaks a rule of the authority's own."

    def test_a_rejected_message_may_name_no_record(self) -> None:
        read = read_status(oecd_status("m1", code="80010", ref=None, result="Rejected"))
        assert (read.file_errors, read.record_errors) == (("80010",), ())


class TestMasked:
    @pytest.mark.parametrize(
        ("details", "shown"),
        [
            ("TIN 38001011234 is unknown", "TIN •••234 is unknown"),
            ("Born on 1980-01-01?", "Born on •••-01?"),
            ("LT119511515", "•••515"),
            ("Field 3 of 12 is empty", "Field 3 of 12 is empty"),
        ],
    )
    def test_holds_no_number(self, details: str, shown: str) -> None:
        assert masked(details) == shown


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
            (oecd_status("m1", code="80010", ref=None), "status_contradicts_itself"),
            (oecd_status("m1", code="97999", ref="a"), "status_code_unknown"),
            (status("m1", records=[("98999", ["a"])]), "status_code_unknown"),
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
