"""The tax authority of the sandbox: takes a file and answers as real ones do. It has no memory."""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import date
from typing import Final

from lxml import etree

from dac7.message.checking import check_message
from dac7.message.dialects import DIALECTS
from dac7.message.findings import Finding
from dac7.message.rules import RULES
from dac7.message.schemas import load_schema

_DIALECT: Final = DIALECTS["sandbox"]
_STATUS: Final = "urn:preloved:dac7:status:v1"
_OF_RECORD: Final = {
    "tin_empty": "98002",
    "tin_known_and_unknown": "98002",
    "tin_without_state": "98001",
    "name_missing": "98005",
    "birth_date_missing": "98003",
    "birth_place_missing": "98003",
    "birth_date_future": "98003",
    "birth_date_too_early": "98003",
    "negative_amount": "98004",
    "negative_count": "98004",
    "blank_text": "98005",
    "corr_doc_ref_missing": "80005",
    "corr_doc_ref_on_new": "80004",
    "corr_message_ref": "80006",
    "resent_seller": "80008",
    "doc_ref_duplicate": "80000",
}
_OF_FILE: Final = {"test_data": "50010"}
_NOT_BY_SCHEMA: Final = "50007"


class _NoMemory:
    """Every id is new, and whatever is corrected is known."""

    def used_elsewhere(self, refs: list[str]) -> set[str]:
        return set()

    def correctable(self, refs: list[str]) -> set[str]:
        return set(refs)


def answer(document: bytes, *, year: int, today: date) -> bytes:
    """The status message: records with mistakes are named, a file that cannot be read is rejected."""
    findings = check_message(
        io.BytesIO(document), _DIALECT, load_schema(_DIALECT, ""), year=year, today=today, known=_NoMemory()
    )
    wrong = [finding for finding in findings if not RULES[finding.rule].is_warning]
    whole = [finding for finding in wrong if not finding.doc_ref or finding.rule not in _OF_RECORD]
    return _status(_message_ref(document), whole, [finding for finding in wrong if finding not in whole])


def _message_ref(document: bytes) -> str:
    found = document.partition(b"MessageRefId>")[2].partition(b"<")[0]
    return found.decode(errors="replace")


def _status(message_ref: str, whole: list[Finding], records: list[Finding]) -> bytes:
    def child(parent: etree._Element, name: str, text: str = "") -> etree._Element:
        element = etree.SubElement(parent, f"{{{_STATUS}}}{name}")
        element.text = text or None
        return element

    root = etree.Element(f"{{{_STATUS}}}DPIStatus_Sandbox", nsmap={None: _STATUS})
    child(child(root, "OriginalMessage"), "OriginalMessageRefID", message_ref)
    errors = child(root, "ValidationErrors")
    for rule in dict.fromkeys(finding.rule for finding in whole):
        error = child(errors, "FileError")
        child(error, "Code", _OF_FILE.get(rule, _NOT_BY_SCHEMA))
        child(error, "Details", RULES[rule].words)
    refs: dict[str, list[str]] = defaultdict(list)
    for finding in records:
        if finding.doc_ref not in refs[_OF_RECORD[finding.rule]]:
            refs[_OF_RECORD[finding.rule]].append(finding.doc_ref)
    for code, named in refs.items():
        error = child(errors, "RecordError")
        child(error, "Code", code)
        for ref in named:
            child(error, "DocRefIDInError", ref)
    child(child(root, "ValidationResult"), "Status", "Rejected" if whole else "Accepted")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
