"""Every rule of the second layer, broken once in a message that was good before."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lxml import etree

from dac7.message.checking import MOST_FINDINGS, check_message
from dac7.message.dialects import DIALECTS
from dac7.message.findings import Finding
from dac7.message.rules import RULES
from dac7.message.schemas import load_schema
from dac7.message.writer import RecordKind
from tests.dac7.message.messages import (
    COMPANY,
    HEADING,
    NAMELESS_TIN,
    SELLER,
    TODAY,
    YEAR,
    doc,
    tree_of,
    written,
)

SANDBOX = DIALECTS["sandbox"]
GOOD = written("sandbox", HEADING, ((doc("a"), SELLER), (doc("b"), NAMELESS_TIN), (doc("c"), COMPANY)))
ELSEWHERE = {"filed-before"}
STANDING = {"accepted"}


@dataclass
class Filed:
    """What other filings hold."""

    asked: list[int] = field(default_factory=list)

    def used_elsewhere(self, refs: list[str]) -> set[str]:
        self.asked.append(len(refs))
        return ELSEWHERE & set(refs)

    def correctable(self, refs: list[str]) -> set[str]:
        return STANDING & set(refs)


def check(document: bytes, known: Filed | None = None) -> list[Finding]:
    return check_message(
        io.BytesIO(document),
        SANDBOX,
        load_schema(SANDBOX, ""),
        year=YEAR,
        today=TODAY,
        known=known or Filed(),
    )


def found(root: etree._Element, path: str) -> etree._Element:
    element = root.find(path)
    assert element is not None, path
    return element


def set_text(path: str, text: str | None) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        found(root, path).text = text

    return change


def drop(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = found(root, path)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def without_attribute(path: str, name: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        del found(root, path).attrib[name]

    return change


def append(path: str, name: str, text: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        parent = found(root, path)
        etree.SubElement(parent, f"{{{SANDBOX.namespace}}}{name}").text = text

    return change


def all_zero(root: etree._Element) -> None:
    for group in ("Consideration", "NumberOfActivities"):
        for quarter in found(root, f".//{{*}}{group}"):
            quarter.text = "0"


def no_activities(root: etree._Element) -> None:
    for quarter in found(root, ".//{*}NumberOfActivities"):
        quarter.text = "0"


def no_sellers(root: etree._Element) -> None:
    body = found(root, "{*}DPIBody")
    for seller in body.findall("{*}ReportableSeller"):
        body.remove(seller)


def deletion(root: etree._Element) -> None:
    spec = found(root, ".//{*}ReportableSeller/{*}DocSpec")
    found(spec, "{*}DocTypeIndic").text = "OECD3"
    etree.SubElement(spec, f"{{{SANDBOX.namespace}}}CorrDocRefId").text = "accepted"


INDIVIDUAL, DOC = ".//{*}IndSellerID", ".//{*}ReportableSeller/{*}DocSpec"
# The second person has no TIN.
SECOND = ".//{*}ReportableSeller[2]"
BREAKS: dict[str, tuple[Callable[[etree._Element], None], str]] = {
    "message_type": (set_text(".//{*}MessageType", "DAC7"), ""),
    "reporting_period": (set_text(".//{*}ReportingPeriod", "2026-12-30"), ""),
    "timestamp_zone": (set_text(".//{*}Timestamp", "2027-01-12T10:30:00+01:00"), ""),
    "test_data": (set_text(f"{DOC}/{{*}}DocTypeIndic", "OECD11"), "a"),
    "corr_doc_ref_missing": (set_text(f"{DOC}/{{*}}DocTypeIndic", "OECD3"), "a"),
    "corr_doc_ref_on_new": (append(DOC, "CorrDocRefId", "accepted"), "a"),
    "corr_message_ref": (append(DOC, "CorrMessageRefId", "m"), "a"),
    "forbidden_sequence": (set_text(f"{INDIVIDUAL}//{{*}}LastName", "Petrait -- ė"), "a"),
    "blank_text": (set_text(f"{INDIVIDUAL}//{{*}}FirstName", "  "), "a"),
    "resent_seller": (set_text(f"{DOC}/{{*}}DocTypeIndic", "OECD0"), "a"),
    "negative_amount": (set_text(".//{*}Consideration/{*}ConsQ2", "-60"), "a"),
    "negative_count": (set_text(".//{*}NumberOfActivities/{*}NumbQ2", "-1"), "a"),
    "activities_missing": (drop(".//{*}SaleOfGoods"), "a"),
    "nothing_to_report": (all_zero, "a"),
    "tin_empty": (set_text(f"{INDIVIDUAL}/{{*}}TIN", None), "a"),
    "tin_known_and_unknown": (set_text(f"{INDIVIDUAL}/{{*}}TIN", "NOTIN"), "a"),
    "tin_without_state": (without_attribute(f"{INDIVIDUAL}/{{*}}TIN", "issuedBy"), "a"),
    "name_missing": (set_text(".//{*}EntSellerID/{*}Name", None), "c"),
    "birth_date_missing": (set_text(".//{*}BirthDate", None), "a"),
    "birth_place_missing": (drop(f"{SECOND}//{{*}}BirthPlace"), "b"),
    "birth_date_future": (set_text(".//{*}BirthDate", "2027-01-13"), "a"),
    "birth_date_too_early": (set_text(".//{*}BirthDate", "1890-01-01"), "a"),
    "registration_missing": (drop(".//{*}EntSellerID/{*}IN"), "c"),
    "residence_missing": (drop(".//{*}EntSellerID/{*}ResCountryCode"), "c"),
    "rounded_to_zero": (set_text(".//{*}Consideration/{*}ConsQ1", "0"), "a"),
    "amount_without_activity": (no_activities, "a"),
    "mixed_records": (deletion, ""),
    "indicator_mismatch": (set_text(".//{*}MessageTypeIndic", "DPI402"), ""),
    "nil_with_sellers": (set_text(".//{*}MessageTypeIndic", "DPI403"), ""),
    "sellers_missing": (no_sellers, ""),
    "doc_ref_duplicate": (set_text(f"{SECOND}/{{*}}DocSpec/{{*}}DocRefId", "a"), "a"),
    "ref_reused": (set_text(f"{DOC}/{{*}}DocRefId", "filed-before"), "filed-before"),
    "schema": (set_text(".//{*}ReportableSeller[3]//{*}EntSellerID/{*}Name", "n" * 201), "c"),
}
# Broken in bytes, or before there is a file: each has a test of its own, below or in test_writing.
BROKEN_ELSEWHERE = {
    *("doctype", "encoding", "not_well_formed", "control_character", "corr_doc_ref_unknown"),
    *("schema_missing", "schema_of_another_dialect"),
}


class TestRules:
    def test_the_good_message_breaks_none(self) -> None:
        assert check(GOOD) == []

    @pytest.mark.parametrize("code", sorted(BREAKS))
    def test_each_rule_is_found_where_it_is_broken(self, code: str) -> None:
        change, ref = BREAKS[code]
        root = tree_of(GOOD)
        change(root)
        findings = [f for f in check(etree.tostring(root)) if f.rule == code]
        assert [f.doc_ref for f in findings] == [ref]
        assert findings[0].detail

    def test_no_rule_is_without_its_test(self) -> None:
        assert set(RULES) == set(BREAKS) | BROKEN_ELSEWHERE

    def test_each_is_explained_to_tax_staff(self) -> None:
        text = (Path(__file__).parents[3] / "docs" / "dac7.md").read_text(encoding="utf-8")
        assert [
            code for code, rule in RULES.items() if f"| `{code}`" not in text or rule.words not in text
        ] == []

    def test_the_schema_alone_would_have_let_most_of_them_pass(self) -> None:
        schema = load_schema(SANDBOX, "")
        passed = set()
        for code, (change, _) in BREAKS.items():
            root = tree_of(GOOD)
            change(root)
            if schema.validate(root.getroottree()):
                passed.add(code)
        assert passed >= {
            *(
                "negative_amount",
                "tin_empty",
                "doc_ref_duplicate",
                "corr_doc_ref_missing",
                "nil_with_sellers",
            ),
            *("activities_missing", "birth_date_future", "test_data", "mixed_records", "ref_reused"),
        }


class TestCorrections:
    def corrections(self, corrects: str) -> bytes:
        heading = HEADING.__class__(
            **{name: getattr(HEADING, name) for name in HEADING.__slots__}
            | {"indicator": "DPI402", "operator_doc": doc("filed-before", RecordKind.RESENT)}
        )
        return written("sandbox", heading, ((doc("a2", RecordKind.CORRECTED, corrects), SELLER),))

    def test_one_of_the_last_accepted_record_is_good_and_its_operator_may_be_resent(self) -> None:
        assert check(self.corrections("accepted")) == []

    def test_one_of_a_record_that_was_never_accepted_is_found(self) -> None:
        assert check(self.corrections("rejected")) == [
            Finding(
                "corr_doc_ref_unknown",
                "CorrDocRefId names no accepted record that still stands.",
                doc_ref="a2",
            )
        ]


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("document", "rule"),
        [
            (GOOD.replace(b"?>", b"?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>", 1), "doctype"),
            (b"<?xml version='1.0'?><!-- a --> <!DOCTYPE x>" + GOOD, "doctype"),
            (GOOD.decode().encode("utf-16"), "encoding"),
            (GOOD.replace(b"utf-8", b"iso-8859-1", 1), "encoding"),
            (GOOD.replace("ė".encode(), b"\xeb"), "not_well_formed"),
            (GOOD[:-30], "not_well_formed"),
            (b"", "not_well_formed"),
            (b"PK\x03\x04 a zip file", "not_well_formed"),
        ],
    )
    def test_are_refused_by_name(self, document: bytes, rule: str) -> None:
        assert [f.rule for f in check(document)] == [rule]

    def test_another_form_is_no_message(self) -> None:
        other = written("oecd", HEADING, ((doc("a"), SELLER),))
        assert {f.rule for f in check(other)} == {"schema", "sellers_missing"}

    def test_what_is_found_is_bounded_and_never_quotes_a_value(self) -> None:
        many = written("sandbox", HEADING, ((doc(str(n)), SELLER) for n in range(MOST_FINDINGS + 50)))
        findings = check(many.replace(b">10<", b">secret<").replace("Petraitė".encode(), b"x" * 201))
        assert len(findings) == MOST_FINDINGS
        assert not any("secret" in f.detail or "xxx" in f.detail for f in findings)
        assert {f.doc_ref for f in findings if f.rule == "schema"} != {""}

    def test_ids_are_asked_for_in_bounded_numbers(self) -> None:
        known = Filed()
        check(written("sandbox", HEADING, ((doc(str(n)), SELLER) for n in range(1200))), known)
        assert max(known.asked) <= 500
        assert sum(known.asked) == 1200 + 1 + 1  # sellers, operator, message
