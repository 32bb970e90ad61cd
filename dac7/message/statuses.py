"""Status messages: what a tax authority answers to a file, read whole or not at all.

Three forms, which differ in their root only: the sandbox's, the OECD's Generic Status Message (version 2.0 of
its guide, of March 2023, was made for DPI among others) and the CRS status message that it comes from. The
codes are those of the OECD's "Common Reporting Standard Status Message XML Schema: User Guide", version 2.0
(2019) pages 36 and 37, version 3.0 (2025) page 32: 50001 to 50013 for files, 80000 to 80014 for records.
98000 to 98999 mean what each authority says, 99999 what its words say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from dac7.message.schemas import status_schema
from foundation.xml_reading import RefusedXml, parse_small

FILE_CODES: Final = {
    "50001": "The authority could not fetch the file: send it again.",
    "50002": "The authority could not decrypt the file: check the key it is encrypted to.",
    "50003": "The authority could not unpack the file.",
    "50004": "The signature of the file is wrong.",
    "50005": "The file has a part that looks like an attack.",
    "50006": "The file has a virus.",
    "50007": "The file does not pass the schema.",
    "50008": "The MessageRefId has not the form that the authority wants.",
    "50009": "The MessageRefId was used before.",
    "50010": "The file has test data in it.",
    "50011": "The file has live data in it, and went to a test service.",
    "50012": "The file is meant for another authority.",
    "50013": "The key that the file is encrypted with has the wrong size.",
}
RECORD_CODES: Final = {
    "80000": "The DocRefId was used before.",
    "80001": "The DocRefId has not the form that the authority wants.",
    "80002": "The authority does not know the record that is corrected.",
    "80003": "The record that is corrected was corrected or deleted already.",
    "80004": "A new record names a record that it corrects.",
    "80005": "A correction does not name the record that it corrects.",
    "80006": "The record has a CorrMessageRefId.",
    "80007": "The head of the message has a CorrMessageRefId.",
    "80008": "Only the operator's record may be sent again unchanged.",
    "80009": "The operator's record is deleted, and there are sellers under it.",
    "80010": "New records and corrections are in one message.",
    "80011": "One record is corrected or deleted twice in the message.",
    "80012": "The records are of two reporting periods.",
    "80013": "The authority does not know the operator's record that is sent again.",
    "80014": "The operator's record that is sent again was corrected or deleted since.",
}
SANDBOX_CODES: Final = {
    "98001": "The TIN is not one of the state that is said to have issued it.",
    "98002": "The TIN is missing.",
    "98003": "The date of birth is not possible.",
    "98004": "An amount is below zero.",
    "98005": "The name is missing or not a name.",
    "98006": "The address is not complete.",
}
_OWN_RULE: Final = "It breaks a rule of the authority's own."
_OWN_CODE: Final = re.compile(r"98\d{3}|99999")
_SANDBOX: Final = ("urn:preloved:dac7:status:v1", "DPIStatus_Sandbox")
_FORMS: Final = {
    _SANDBOX,
    ("urn:oecd:ties:gsm:v1", "GenericStatusMessage_OECD"),
    ("urn:oecd:ties:csm:v2", "CRSStatusMessage_OECD"),
}
DETAILS_LENGTH: Final = 500
# Numbers, dates and ids: an authority may repeat what stands in the record.
_TELLING: Final = re.compile(r"[\w/.-]*(?:\d[\w/.-]*){4,}")


def words_of(code: str, dialect: str) -> str:
    """What a record's code means, for tax staff. Only the sandbox's own rules are known here."""
    known = RECORD_CODES | (SANDBOX_CODES if dialect == "sandbox" else {})
    return known.get(code, _OWN_RULE)


def masked(details: str) -> str:
    """An authority's words without the numbers in them, of which the last three signs stay."""
    return _TELLING.sub(lambda found: f"•••{found.group()[-3:]}", details)


@dataclass(frozen=True, slots=True)
class RecordError:
    """``details``: the authority's own words, which may hold what stands in the record."""

    code: str
    refs: tuple[str, ...]
    details: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MessageStatus:
    """``is_accepted`` with record errors: all but the named records are accepted.

    Of a rejected message ``file_errors`` holds the codes of errors of records too, where it names no record.
    """

    message_ref: str
    is_accepted: bool
    file_errors: tuple[str, ...]
    record_errors: tuple[RecordError, ...]


def read_status(data: bytes) -> MessageStatus:
    """Read a status file. Raises RefusedXml, whose rule names what is wrong; nothing of it counts then."""
    root = parse_small(data)
    name = etree.QName(root)
    form = (name.namespace or "", name.localname)
    if form not in _FORMS:
        raise RefusedXml("status_form_unknown", f"{name.localname} is no status message that can be read.")
    if form == _SANDBOX and not status_schema().validate(root):
        raise RefusedXml("status_schema", "The status message does not pass its schema.")
    found = {
        part: root.find(f".//{{{form[0]}}}{part}")
        for part in ("OriginalMessageRefID", "ValidationErrors", "Status")
    }
    message_ref, result = _text(found["OriginalMessageRefID"]), _text(found["Status"])
    if not message_ref or result not in ("Accepted", "Rejected"):
        raise RefusedXml("status_schema", "The status message names no message, or no result.")
    errors = found["ValidationErrors"]
    file_errors, record_errors = _errors(errors, form) if errors is not None else ((), ())
    if result == "Accepted" and file_errors:
        raise RefusedXml(
            "status_contradicts_itself", "The message is accepted and has errors of the whole file."
        )
    return MessageStatus(message_ref, result == "Accepted", file_errors, record_errors)


def _errors(errors: etree._Element, form: tuple[str, str]) -> tuple[tuple[str, ...], tuple[RecordError, ...]]:
    namespace = form[0]
    files = [_known(error, FILE_CODES, form) for error in errors.iterchildren(f"{{{namespace}}}FileError")]
    records = []
    codes = RECORD_CODES | (SANDBOX_CODES if form == _SANDBOX else {})
    for error in errors.iterchildren(f"{{{namespace}}}RecordError"):
        code = _known(error, codes, form)
        refs = tuple(_text(ref) for ref in error.iterchildren(f"{{{namespace}}}DocRefIDInError"))
        if not all(refs):
            raise RefusedXml("status_schema", "An error of a record does not name the record.")
        if refs:
            details = _text(error.find(f"{{{namespace}}}Details"))[:DETAILS_LENGTH]
            records.append(RecordError(code, refs, details))
        else:
            # The OECD's schemas allow it: then it is about all of them.
            files.append(code)
    return tuple(files), tuple(records)


def _text(element: etree._Element | None) -> str:
    return ((element.text if element is not None else "") or "").strip()


def _known(error: etree._Element, codes: Mapping[str, str], form: tuple[str, str]) -> str:
    code = _text(error.find(f"{{{form[0]}}}Code"))
    if code in codes or (form != _SANDBOX and _OWN_CODE.fullmatch(code)):
        return code
    raise RefusedXml("status_code_unknown", f"{code[:20]!r} is no code that is known here.")
