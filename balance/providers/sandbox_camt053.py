"""The sandbox bank's statement as banks deliver it: ISO 20022 camt.053.001.08."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from lxml import etree

from balance.providers import sandbox
from foundation.money import exponent_of

if TYPE_CHECKING:
    Element = etree._Element

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
# Codes of ISO 20022: credit transfers that were sent (ESCT), and their return (RRTN).
SENT, RETURNED = "ESCT", "RRTN"
Tree = Mapping[str, "str | Tree"]


def statement(currency: str, *, fee: str, since: datetime, now: datetime) -> str:
    """What left the bank and came back since then. The account began with nothing: what left overdraws it.

    ``fee`` is what it takes for each that left, as a decimal in major units; it is inside the entry.
    """
    rows = list(sandbox.statement(currency, fee=fee, since=BEFORE_ALL, now=now))
    earlier = [row for row in rows if datetime.fromisoformat(row[6]) < since]
    shown = rows[len(earlier) :]
    opening = sum((_moved(row) for row in earlier), Decimal(0))
    closing = opening + sum((_moved(row) for row in shown), Decimal(0))
    document = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})
    message = _add(document, "BkToCstmrStmt")
    until, name = now.isoformat(), f"SANDBOX-{now:%Y%m%d%H%M%S}"
    _fill(_add(message, "GrpHdr"), {"MsgId": name, "CreDtTm": until})
    body = _add(message, "Stmt")
    _fill(body, {"Id": name, "CreDtTm": until})
    _fill(body, {"FrToDt": {"FrDtTm": since.isoformat(), "ToDtTm": until}})
    _fill(body, {"Acct": {"Id": {"Othr": {"Id": "SANDBOX"}}, "Ccy": currency}})
    for code, amount, at in (("OPBD", opening, since), ("CLBD", closing, now)):
        balance = _add(body, "Bal")
        _fill(balance, {"Tp": {"CdOrPrtry": {"Cd": code}}})
        _amount(balance, amount, currency)
        _fill(balance, {"Dt": {"DtTm": at.isoformat()}})
    for row in shown:
        _entry(_add(body, "Ntry"), row)
    etree.indent(document)
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8").decode() + "\n"


def _entry(entry: Element, row: list[str]) -> None:
    type_, id_, reference, amount, fee, currency, at = row
    _amount(entry, _moved(row), currency)
    code = RETURNED if type_ == "transfer_returned" else SENT
    codes: Tree = {"Domn": {"Cd": "PMNT", "Fmly": {"Cd": "ICDT", "SubFmlyCd": code}}}
    _fill(entry, {"Sts": {"Cd": "BOOK"}, "BookgDt": {"DtTm": at}, "AcctSvcrRef": id_, "BkTxCd": codes})
    details = _add(_add(entry, "NtryDtls"), "TxDtls")
    _fill(details, {"Refs": {"AcctSvcrRef": id_, "EndToEndId": reference}})
    _amount(details, Decimal(amount), currency)
    if Decimal(fee):
        record = _add(_add(details, "Chrgs"), "Rcrd")
        _amount(record, -Decimal(fee), currency)
        _fill(record, {"ChrgInclInd": "true"})
    if code == RETURNED:
        _fill(details, {"RtrInf": {"Rsn": {"Cd": "AC04"}}})


def _moved(row: list[str]) -> Decimal:
    return Decimal(row[3]) - Decimal(row[4])


def _amount(parent: Element, amount: Decimal, currency: str) -> None:
    _add(parent, "Amt", f"{abs(amount):.{exponent_of(currency)}f}").set("Ccy", currency)
    _add(parent, "CdtDbtInd", "DBIT" if amount < 0 else "CRDT")


def _fill(parent: Element, tree: Tree) -> None:
    for name, inside in tree.items():
        if isinstance(inside, str):
            _add(parent, name, inside)
        else:
            _fill(_add(parent, name), inside)


def _add(parent: Element, name: str, text: str | None = None) -> Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child
