"""The second layer: what a schema accepts and an authority does not. One row for each rule.

Sources: the OECD's user guide of the DPI schema (ids, indicators, corrections), Annex V section III of
Directive 2011/16/EU (what is reported of a seller), the DGFiP's "Cahier des charges DPI-DAC7" 5.3.2
(amounts, states). The rows that have a function look at one record or at the head of the message; the others
are found while the file is read (checking.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from dac7.message.dialects import Dialect

_LONGEST_LIFE_YEARS: Final = 120
_LIVE: Final = frozenset({"OECD0", "OECD1", "OECD2", "OECD3"})
_CORRECTING: Final = frozenset({"OECD2", "OECD3"})
FORBIDDEN: Final = ("--", "/*", "&#")


class Part:
    """A piece of the message with names instead of namespaces."""

    __slots__ = ("dialect", "element", "today", "year")

    def __init__(self, element: etree._Element, dialect: Dialect, *, year: int, today: date) -> None:
        self.element, self.dialect, self.year, self.today = element, dialect, year, today

    def all(self, name: str) -> Iterator[etree._Element]:
        """Elements of this name at any depth."""
        return self.element.iter(f"{{{self.dialect.namespace}}}{name}")

    def texts(self, name: str) -> list[str]:
        return [element.text or "" for element in self.all(name)]

    def text(self, name: str) -> str:
        """Of the first element of this name, or nothing."""
        return next(iter(self.texts(name)), "")

    def type_text(self, name: str) -> str:
        """As ``text``, of the ids, which have a namespace of their own."""
        return next(
            (e.text or "" for e in self.element.iter(f"{{{self.dialect.types_namespace}}}{name}")), ""
        )

    def numbers(self, group: str) -> list[int]:
        """The four quarters of a group; what is no number counts as none (the schema has said so)."""
        found = []
        for parent in self.all(group):
            for quarter in parent:
                try:
                    found.append(int(quarter.text or ""))
                except ValueError:
                    continue
        return found

    @property
    def kind(self) -> str:
        return self.type_text("DocTypeIndic")

    @property
    def ref(self) -> str:
        return self.type_text("DocRefId")

    @property
    def corrects(self) -> str:
        return self.type_text("CorrDocRefId")


@dataclass(frozen=True, slots=True)
class Rule:
    """``broken`` gives the words about a part that breaks it, or nothing."""

    code: str
    words: str
    broken: Callable[[Part], str] | None = None
    is_warning: bool = False


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _negative_amount(seller: Part) -> str:
    groups = [g for g in ("Consideration", "Fees", "Taxes") if any(n < 0 for n in seller.numbers(g))]
    return f"{', '.join(groups)} below zero." if groups else ""


def _negative_count(seller: Part) -> str:
    return (
        "NumberOfActivities below zero." if any(n < 0 for n in seller.numbers("NumberOfActivities")) else ""
    )


def _activities_missing(seller: Part) -> str:
    return "" if any(len(e) for e in seller.all("RelevantActivities")) else "RelevantActivities is empty."


def _nothing_to_report(seller: Part) -> str:
    numbers = [*seller.numbers("Consideration"), *seller.numbers("NumberOfActivities")]
    if seller.kind == "OECD3" or not numbers or any(numbers):
        return ""
    return "All quarters are zero: such a seller is left out, or deleted if reported before."


def _rounded_to_zero(seller: Part) -> str:
    pairs = zip(seller.numbers("Consideration"), seller.numbers("NumberOfActivities"), strict=False)
    quarters = [f"Q{n}" for n, (amount, count) in enumerate(pairs, 1) if count > 0 and amount == 0]
    return f"{', '.join(quarters)}: sales, but an amount that rounds to zero." if quarters else ""


def _amount_without_activity(seller: Part) -> str:
    if any(seller.numbers("Consideration")) and not any(seller.numbers("NumberOfActivities")):
        return "An amount, but no activity in the whole year."
    return ""


def _tin_empty(seller: Part) -> str:
    return "TIN is empty." if any(not text.strip() for text in seller.texts("TIN")) else ""


def _tin_known_and_unknown(seller: Part) -> str:
    unknown = [tin.get("unknown") in ("true", "1") for tin in seller.all("TIN")]
    said = [(tin.text or "").strip().upper() == "NOTIN" for tin in seller.all("TIN")]
    if unknown != said:
        return 'TIN: either a number, or NOTIN with unknown="true".'
    return "A TIN and NOTIN beside each other." if any(unknown) and not all(unknown) else ""


def _tin_without_state(seller: Part) -> str:
    missing = any(
        not tin.get("issuedBy") and tin.get("unknown") not in ("true", "1") for tin in seller.all("TIN")
    )
    return "TIN: issuedBy is missing." if missing else ""


def _name_missing(seller: Part) -> str:
    empty = [
        name
        for name in ("FirstName", "LastName", "Name")
        for element in seller.all(name)
        if len(element) == 0 and not (element.text or "").strip()
    ]
    return f"{', '.join(empty)}: nobody has said who this is." if empty else ""


def _birth_date_missing(seller: Part) -> str:
    individual = any(True for _ in seller.all("IndSellerID"))
    return "BirthDate is missing." if individual and not seller.text("BirthDate").strip() else ""


def _birth_place_missing(seller: Part) -> str:
    individual = any(True for _ in seller.all("IndSellerID"))
    unknown = any(tin.get("unknown") in ("true", "1") for tin in seller.all("TIN"))
    has_place = any(True for _ in seller.all("BirthPlace"))
    return "NOTIN needs BirthPlace." if individual and unknown and not has_place else ""


def _birth_date_future(seller: Part) -> str:
    born = _date(seller.text("BirthDate"))
    return "BirthDate is in the future." if born is not None and born > seller.today else ""


def _birth_date_too_early(seller: Part) -> str:
    born = _date(seller.text("BirthDate"))
    if born is not None and seller.today.year - born.year > _LONGEST_LIFE_YEARS:
        return f"BirthDate is more than {_LONGEST_LIFE_YEARS} years ago."
    return ""


def _registration_missing(seller: Part) -> str:
    entity = next(seller.all("EntSellerID"), None)
    if entity is None or any((e.text or "").strip() for e in seller.all("IN")):
        return ""
    return "An entity needs IN, its business registration number."


def _residence_missing(seller: Part) -> str:
    return "" if seller.texts("ResCountryCode") else "ResCountryCode is missing."


def _blank_text(part: Part) -> str:
    names = {
        etree.QName(e).localname
        for e in part.element.iter(etree.Element)
        if len(e) == 0 and e.text and not e.text.strip() and etree.QName(e).localname != "TIN"
    }
    return f"{', '.join(sorted(names))}: only blanks." if names else ""


def _forbidden_sequence(part: Part) -> str:
    names = {
        etree.QName(e).localname
        for e in part.element.iter(etree.Element)
        if len(e) == 0 and e.text and ("\r" in e.text or any(sign in e.text for sign in FORBIDDEN))
    }
    if not names:
        return ""
    return f"{', '.join(sorted(names))}: --, /* or &# may not be in a file on the exchange network."


def _test_data(part: Part) -> str:
    return "" if part.kind in _LIVE or not part.kind else f"{part.kind} marks test data."


def _corr_doc_ref_missing(part: Part) -> str:
    return f"{part.kind} without CorrDocRefId." if part.kind in _CORRECTING and not part.corrects else ""


def _corr_doc_ref_on_new(part: Part) -> str:
    return f"{part.kind} with CorrDocRefId." if part.kind not in _CORRECTING and part.corrects else ""


def _corr_message_ref(part: Part) -> str:
    return "CorrMessageRefId is not used." if part.type_text("CorrMessageRefId") else ""


def _resent_seller(part: Part) -> str:
    return "OECD0 is for the operator only." if part.kind == "OECD0" else ""


def _message_type(spec: Part) -> str:
    return "" if spec.text("MessageType") == "DPI" else "MessageType is not DPI."


def _reporting_period(spec: Part) -> str:
    expected = f"{spec.year}-12-31"
    return "" if spec.text("ReportingPeriod") == expected else f"ReportingPeriod is not {expected}."


def _timestamp_zone(spec: Part) -> str:
    stamp = spec.text("Timestamp")
    return "Timestamp has a zone." if stamp.endswith("Z") or "+" in stamp or stamp.count("-") > 2 else ""


_OF_ANY_RECORD: Final = (
    Rule("test_data", "Records of a live message are not marked as test data.", _test_data),
    Rule("corr_doc_ref_missing", "What corrects or deletes names what it corrects.", _corr_doc_ref_missing),
    Rule("corr_doc_ref_on_new", "What is new corrects nothing.", _corr_doc_ref_on_new),
    Rule("corr_message_ref", "CorrMessageRefId is never used.", _corr_message_ref),
    Rule("forbidden_sequence", "--, /* and &# stand nowhere in the file.", _forbidden_sequence),
    Rule("blank_text", "No element holds blanks only.", _blank_text),
)
OF_OPERATOR: Final = _OF_ANY_RECORD
OF_SELLER: Final = (
    *_OF_ANY_RECORD,
    Rule("resent_seller", "Only the operator may be sent again unchanged.", _resent_seller),
    Rule("negative_amount", "Amounts are not below zero.", _negative_amount),
    Rule("negative_count", "Numbers of activities are not below zero.", _negative_count),
    Rule("activities_missing", "Every seller has an activity.", _activities_missing),
    Rule("nothing_to_report", "Nobody is reported with zeros only.", _nothing_to_report),
    Rule("tin_empty", "No TIN is empty.", _tin_empty),
    Rule("tin_known_and_unknown", "A TIN is there, or is said to be missing.", _tin_known_and_unknown),
    Rule("tin_without_state", "Each TIN names the state that issued it.", _tin_without_state),
    Rule("name_missing", "Every seller has a name.", _name_missing),
    Rule("birth_date_missing", "Every individual has a date of birth.", _birth_date_missing),
    Rule("birth_place_missing", "A person without a TIN has a place of birth.", _birth_place_missing),
    Rule("birth_date_future", "Nobody is born in the future.", _birth_date_future),
    Rule("birth_date_too_early", "Nobody is older than anybody was.", _birth_date_too_early),
    Rule("registration_missing", "An entity has its registration number.", _registration_missing),
    Rule("residence_missing", "Every seller has a state of residence.", _residence_missing),
    Rule(
        "rounded_to_zero",
        "Sales are worth at least half a unit a quarter.",
        _rounded_to_zero,
        is_warning=True,
    ),
    Rule(
        "amount_without_activity",
        "An amount comes from an activity.",
        _amount_without_activity,
        is_warning=True,
    ),
)
OF_HEAD: Final = (
    Rule("message_type", "MessageType is DPI.", _message_type),
    Rule("reporting_period", "ReportingPeriod is the year's last day.", _reporting_period),
    Rule("timestamp_zone", "Timestamp is Central European Time, without a zone.", _timestamp_zone),
    Rule("forbidden_sequence", "--, /* and &# stand nowhere in the file.", _forbidden_sequence),
)
OF_FILE: Final = (
    Rule("doctype", "The file has no DOCTYPE."),
    Rule("encoding", "The file is in UTF-8 and says so."),
    Rule("not_well_formed", "The file is XML."),
    Rule("control_character", "No text has characters that XML cannot hold."),
    Rule("schema_missing", "The authority's schema is in DAC7_SCHEMA_DIR."),
    Rule("schema_of_another_dialect", "The schema is that of the filing's dialect."),
    Rule("schema", "The file passes the schema."),
    Rule("mixed_records", "New records and corrections are in messages of their own."),
    Rule("indicator_mismatch", "MessageTypeIndic fits to the records."),
    Rule("nil_with_sellers", "A nil return has no sellers."),
    Rule("sellers_missing", "Only a nil return has no sellers."),
    Rule("doc_ref_duplicate", "No DocRefId is there twice."),
    Rule("ref_reused", "No id was used in another filing."),
    Rule("corr_doc_ref_unknown", "What is corrected is the last accepted record of its chain."),
)
RULES: Final = {rule.code: rule for rule in (*OF_FILE, *OF_HEAD, *OF_SELLER)}
