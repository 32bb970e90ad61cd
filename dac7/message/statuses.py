"""Reads what an authority answers to a message: taken, not taken, or taken but for some records.

No authority's form for DAC7 answers is published. Two are read: that of the sandbox authority, and the OECD's
CRS status message (``urn:oecd:ties:csm:v2``), the nearest published relative, from which the codes are too
(OECD, "Common Reporting Standard Status Message XML Schema: User Guide").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from dac7.message.reading import RefusedXml, parse_small
from dac7.message.schemas import status_schema

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
    "50012": "The file is meant for another authority.",
}
RECORD_CODES: Final = {
    "80000": "The DocRefId was used before.",
    "80001": "The DocRefId has not the form that the authority wants.",
    "80002": "The authority does not know the record that is corrected.",
    "80003": "The record that is corrected was corrected or deleted already.",
    "80004": "A new record names a record that it corrects.",
    "80005": "A correction does not name the record that it corrects.",
    "80010": "New records and corrections are in one message.",
    "98001": "The TIN is not one of the state that is said to have issued it.",
    "98002": "The TIN is missing.",
    "98003": "The date of birth is not possible.",
    "98004": "An amount is below zero.",
    "98005": "The name is missing or not a name.",
    "98006": "The address is not complete.",
}
_SANDBOX: Final = ("urn:preloved:dac7:status:v1", "DPIStatus_Sandbox")
_FORMS: Final = {_SANDBOX, ("urn:oecd:ties:csm:v2", "CRSStatusMessage_OECD")}


@dataclass(frozen=True, slots=True)
class RecordError:
    code: str
    refs: tuple[str, ...]

    @property
    def words(self) -> str:
        """For tax staff."""
        return RECORD_CODES[self.code]


@dataclass(frozen=True, slots=True)
class MessageStatus:
    """``is_accepted`` with record errors: all but the named records are accepted."""

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
    file_errors, record_errors = _errors(errors, form[0]) if errors is not None else ((), ())
    if result == "Accepted" and file_errors:
        raise RefusedXml(
            "status_contradicts_itself", "The message is accepted and has errors of the whole file."
        )
    return MessageStatus(message_ref, result == "Accepted", file_errors, record_errors)


def _errors(errors: etree._Element, namespace: str) -> tuple[tuple[str, ...], tuple[RecordError, ...]]:
    files = tuple(
        _known(_text(error.find(f"{{{namespace}}}Code")), FILE_CODES)
        for error in errors.iterchildren(f"{{{namespace}}}FileError")
    )
    records = []
    for error in errors.iterchildren(f"{{{namespace}}}RecordError"):
        refs = tuple(_text(ref) for ref in error.iterchildren(f"{{{namespace}}}DocRefIDInError"))
        if not refs or not all(refs):
            raise RefusedXml("status_schema", "An error of a record does not name the record.")
        records.append(RecordError(_known(_text(error.find(f"{{{namespace}}}Code")), RECORD_CODES), refs))
    return files, tuple(records)


def _text(element: etree._Element | None) -> str:
    return ((element.text if element is not None else "") or "").strip()


def _known(code: str, codes: dict[str, str]) -> str:
    if code not in codes:
        raise RefusedXml("status_code_unknown", f"{code[:20]!r} is no code that is known here.")
    return code
