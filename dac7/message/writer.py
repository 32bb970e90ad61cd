"""Writes a message as XML: one pass over the sellers, in constant memory, the same bytes for the same input.

Element order and cardinalities are those of the OECD's DPI v1.0 form; what differs is in the dialect's row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

from lxml import etree

from dac7.message.dialects import Dialect
from dac7.message.records import Operator, PostalAddress, Quarter, ReportedSeller, SellerKind, Tin
from dac7.states import MEMBER_STATES

NO_TIN: Final = "NOTIN"
_CET: Final = ZoneInfo("Europe/Brussels")  # the exchange network's clock: Central European Time
_NO_ATTRIBUTES: Final[Mapping[str, str]] = {}


class MessageKind(StrEnum):
    """MessageTypeIndic."""

    NEW = "DPI401"
    CORRECTIONS = "DPI402"
    NIL = "DPI403"


class RecordKind(StrEnum):
    """DocTypeIndic of live messages."""

    RESENT = "OECD0"  # an operator that did not change
    NEW = "OECD1"
    CORRECTED = "OECD2"
    DELETED = "OECD3"


@dataclass(frozen=True, slots=True)
class DocSpec:
    """The ids of a record; ``corrects`` is the last accepted one of its chain."""

    kind: RecordKind
    ref: str
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands before the sellers. ``indicator`` is written as MessageTypeIndic."""

    state: str
    year: int
    message_ref: str
    indicator: str
    timestamp: datetime
    operator: Operator
    operator_doc: DocSpec


def write_message(
    target: IO[bytes] | str,
    dialect: Dialect,
    heading: Heading,
    sellers: Iterable[tuple[DocSpec, ReportedSeller]],
) -> None:
    """Write the whole document in UTF-8 to a binary file or a path.

    Raises UnwritableRecord.
    """
    with etree.xmlfile(target, encoding="utf-8") as file:
        file.write_declaration()
        _Writer(file, dialect).message(heading, sellers)


class UnwritableRecord(ValueError):
    """A text of this record has a character that XML cannot hold."""

    def __init__(self, doc_ref: str) -> None:
        super().__init__(f"{doc_ref} has a character that XML cannot hold")
        self.doc_ref = doc_ref


class _Tags(dict[str, str]):
    """Names as lxml wants them, each put together once."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self.namespace = namespace

    def __missing__(self, name: str) -> str:
        tag = self[name] = f"{{{self.namespace}}}{name}"
        return tag


class _Writer:
    """The two calls of lxml that everything is made of, and the names."""

    def __init__(self, file: Any, dialect: Dialect) -> None:
        self.file = file
        self.dialect = dialect
        self.open: Callable[..., Any] = file.element
        self.text: Callable[[str], None] = file.write
        self.tag, self.types = _Tags(dialect.namespace), _Tags(dialect.types_namespace)
        self.consideration, self.numbers, self.fees, self.taxes = (
            tuple(self.tag[f"{prefix}{n}"] for n in (1, 2, 3, 4))
            for prefix in ("ConsQ", "NumbQ", "FeesQ", dialect.tax_prefix)
        )

    def leaf(self, name: str, text: str, attributes: Mapping[str, str] = _NO_ATTRIBUTES) -> None:
        with self.open(self.tag[name], attributes):
            self.text(text)

    def optional(self, name: str, text: str) -> None:
        if text:
            self.leaf(name, text)

    def message(self, heading: Heading, sellers: Iterable[tuple[DocSpec, ReportedSeller]]) -> None:
        dialect, tag = self.dialect, self.tag
        names = {"dpi": dialect.namespace}
        if dialect.types_namespace != dialect.namespace:
            names["stf"] = dialect.types_namespace
        with self.open(f"{{{dialect.namespace}}}{dialect.root}", {"version": "1.0"}, nsmap=names):
            self.spec(heading)
            with self.open(tag["DPIBody"]):
                with self.open(tag["PlatformOperator"]):
                    self.operator(heading.operator)
                    self.doc_spec(heading.operator_doc)
                for doc, seller in sellers:
                    self.text("\n")
                    with self.open(tag["ReportableSeller"]):
                        try:
                            self.seller(seller)
                        except ValueError as error:
                            raise UnwritableRecord(doc.ref) from error
                        self.doc_spec(doc)

    def spec(self, heading: Heading) -> None:
        dialect, leaf = self.dialect, self.leaf
        with self.open(self.tag["MessageSpec"]):
            if dialect.names_sender:
                leaf("SendingEntityIN", heading.operator.tin.value)
            if dialect.names_countries:
                leaf("TransmittingCountry", heading.state)
                leaf("ReceivingCountry", heading.state)
            leaf("MessageType", "DPI")
            leaf("MessageRefId", heading.message_ref)
            leaf("MessageTypeIndic", heading.indicator)
            leaf("ReportingPeriod", date(heading.year, 12, 31).isoformat())
            local = heading.timestamp.astimezone(_CET).replace(tzinfo=None)
            leaf("Timestamp", local.isoformat(timespec="seconds"))

    def operator(self, operator: Operator) -> None:
        leaf = self.leaf
        leaf("ResCountryCode", operator.residence)
        self.tins((operator.tin,))
        self.registration(operator.registration_number, operator.residence)
        self.optional("VAT", operator.vat_number)
        leaf("Name", operator.name)
        leaf("PlatformBusinessName", operator.business_name)
        self.address(operator.address, "OECD304")
        leaf("Nexus", operator.nexus)
        leaf("AssumedReporting", "false")

    def seller(self, seller: ReportedSeller) -> None:
        open_, tag = self.open, self.tag
        is_entity = seller.kind == SellerKind.ENTITY
        with (
            open_(tag["Identity"]),
            open_(tag["EntitySeller" if is_entity else "IndividualSeller"]),
            open_(tag["Standard"]),
        ):
            if is_entity:
                self.entity(seller)
            else:
                self.individual(seller)
        with open_(tag["RelevantActivities"]), open_(tag["SaleOfGoods"]):
            self.quarters(seller.quarters)

    def individual(self, seller: ReportedSeller) -> None:
        open_, tag, leaf = self.open, self.tag, self.leaf
        with open_(tag["IndSellerID"]):
            self.residences(seller)
            self.tins(seller.tins)
            self.optional("VAT", seller.vat_number)
            with open_(tag["Name"]):
                leaf("FirstName", seller.first_name)
                leaf("LastName", seller.last_name)
            self.address(seller.address, "OECD302")
            with open_(tag["BirthInfo"]):
                leaf("BirthDate", seller.birth_date.isoformat() if seller.birth_date else "")
                if seller.birth_place is not None:
                    with open_(tag["BirthPlace"]):
                        leaf("City", seller.birth_place.city)
                        with open_(tag["CountryInfo"]):
                            leaf("CountryCode", seller.birth_place.country)
        self.account(seller)

    def entity(self, seller: ReportedSeller) -> None:
        open_, tag, leaf = self.open, self.tag, self.leaf
        with open_(tag["EntSellerID"]):
            self.residences(seller)
            self.tins(seller.tins)
            self.registration(seller.registration_number, seller.registered_in)
            self.optional("VAT", seller.vat_number)
            leaf("Name", seller.legal_name)
            self.address(seller.address, "OECD303")
        self.account(seller)
        if seller.establishments:
            with open_(tag["PermanentEstablishments"]):
                for country in seller.establishments:
                    self.establishment(country)

    def establishment(self, country: str) -> None:
        if not self.dialect.establishment_addresses:
            self.leaf("PermanentEstablishment", country)
            return
        # Only the state of an establishment is collected; the form wants an address and takes a free one.
        with self.open(self.tag["Address"]):
            self.leaf("CountryCode", country)
            self.leaf("AddressFree", country)

    def residences(self, seller: ReportedSeller) -> None:
        countries = seller.residences
        if self.dialect.one_residence:
            # The state of the primary address; where that is none of the Union, one that issued a TIN.
            home = seller.address.country
            inside = [country for country in countries if country in MEMBER_STATES]
            countries = (home,) if home in inside else tuple(inside[:1]) or countries[:1]
        for country in countries:
            self.leaf("ResCountryCode", country)

    def tins(self, tins: Iterable[Tin]) -> None:
        none = True
        for tin in tins:
            none = False
            self.leaf("TIN", tin.value, {"issuedBy": tin.issued_by})
        if none:
            self.leaf("TIN", NO_TIN, {"unknown": "true"})

    def registration(self, number: str, country: str) -> None:
        if number:
            self.leaf("IN", number, {"issuedBy": country, "INType": "BRN"} if country else {"INType": "BRN"})

    def address(self, address: PostalAddress, kind: str) -> None:
        with self.open(self.tag["Address"], {"legalAddressType": kind}):
            self.leaf("CountryCode", address.country)
            with self.open(self.tag["AddressFix"]):
                self.optional("Street", address.street)
                self.optional("BuildingIdentifier", address.building)
                self.optional("PostCode", address.postcode)
                self.leaf("City", address.city)
                self.optional("CountrySubentity", address.region)

    def account(self, seller: ReportedSeller) -> None:
        account = seller.account
        if account is None:
            return
        with self.open(self.tag["FinancialIdentifier"]):
            self.leaf("Identifier", account.identifier, {"AccountNumberType": account.kind})
            self.optional("AccountHolderName", account.holder_name)

    def quarters(self, quarters: tuple[Quarter, ...]) -> None:
        open_, tag, text = self.open, self.tag, self.text
        currencies = [{"currCode": quarter.currency} for quarter in quarters]
        with open_(tag["Consideration"]):
            for name, currency, quarter in zip(self.consideration, currencies, quarters, strict=True):
                with open_(name, currency):
                    text(str(quarter.consideration))
        with open_(tag["NumberOfActivities"]):
            for name, quarter in zip(self.numbers, quarters, strict=True):
                with open_(name):
                    text(str(quarter.activities))
        with open_(tag["Fees"]):
            for name, currency, quarter in zip(self.fees, currencies, quarters, strict=True):
                with open_(name, currency):
                    text(str(quarter.fees))
        with open_(tag["Taxes"]):
            for name, currency, quarter in zip(self.taxes, currencies, quarters, strict=True):
                with open_(name, currency):
                    text(str(quarter.taxes))

    def doc_spec(self, doc: DocSpec) -> None:
        open_, types, text = self.open, self.types, self.text
        with open_(self.tag["DocSpec"]):
            with open_(types["DocTypeIndic"]):
                text(doc.kind)
            with open_(types["DocRefId"]):
                text(doc.ref)
            if doc.corrects:
                with open_(types["CorrDocRefId"]):
                    text(doc.corrects)
