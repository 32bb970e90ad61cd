"""The sellers of a message as xsdata wants them: dataclasses that say how they are written."""

# ruff: noqa: RUF009  # element() and attribute() are dataclasses.field() by shorter names
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dac7.message.dialects import DIALECTS
from dac7.message.records import ReportedSeller

NAMESPACE = DIALECTS["sandbox"].namespace


def element(name: str) -> Any:
    """A child element."""
    return field(metadata={"name": name, "type": "Element", "namespace": NAMESPACE})


def attribute(name: str) -> Any:
    """An attribute."""
    return field(metadata={"name": name, "type": "Attribute"})


@dataclass
class Issued:
    value: str
    issued_by: str = attribute("issuedBy")


@dataclass
class Typed:
    value: str
    kind: str = attribute("AccountNumberType")


@dataclass
class Amount:
    value: int
    currency: str = attribute("currCode")


@dataclass
class Name:
    first: str = element("FirstName")
    last: str = element("LastName")


@dataclass
class AddressFix:
    street: str = element("Street")
    postcode: str = element("PostCode")
    city: str = element("City")


@dataclass
class Address:
    country: str = element("CountryCode")
    fix: AddressFix = element("AddressFix")
    kind: str = attribute("legalAddressType")


@dataclass
class BirthInfo:
    date: str = element("BirthDate")


@dataclass
class Person:
    residence: str = element("ResCountryCode")
    tin: Issued = element("TIN")
    name: Name = element("Name")
    address: Address = element("Address")
    birth: BirthInfo = element("BirthInfo")


@dataclass
class Account:
    identifier: Typed = element("Identifier")


@dataclass
class Standard:
    person: Person = element("IndSellerID")
    account: Account = element("FinancialIdentifier")


@dataclass
class Individual:
    standard: Standard = element("Standard")


@dataclass
class Identity:
    individual: Individual = element("IndividualSeller")


@dataclass
class Consideration:
    q1: Amount = element("ConsQ1")
    q2: Amount = element("ConsQ2")
    q3: Amount = element("ConsQ3")
    q4: Amount = element("ConsQ4")


@dataclass
class Numbers:
    q1: int = element("NumbQ1")
    q2: int = element("NumbQ2")
    q3: int = element("NumbQ3")
    q4: int = element("NumbQ4")


@dataclass
class Fees:
    q1: Amount = element("FeesQ1")
    q2: Amount = element("FeesQ2")
    q3: Amount = element("FeesQ3")
    q4: Amount = element("FeesQ4")


@dataclass
class Taxes:
    q1: Amount = element("TaxQ1")
    q2: Amount = element("TaxQ2")
    q3: Amount = element("TaxQ3")
    q4: Amount = element("TaxQ4")


@dataclass
class SaleOfGoods:
    consideration: Consideration = element("Consideration")
    numbers: Numbers = element("NumberOfActivities")
    fees: Fees = element("Fees")
    taxes: Taxes = element("Taxes")


@dataclass
class Activities:
    goods: SaleOfGoods = element("SaleOfGoods")


@dataclass
class DocSpec:
    kind: str = element("DocTypeIndic")
    ref: str = element("DocRefId")


@dataclass
class Seller:
    identity: Identity = element("Identity")
    activities: Activities = element("RelevantActivities")
    doc: DocSpec = element("DocSpec")


@dataclass
class Body:
    class Meta:
        name = "DPIBody"
        namespace = NAMESPACE

    sellers: list[Seller] = field(
        metadata={"name": "ReportableSeller", "type": "Element", "namespace": NAMESPACE}
    )


def seller_of(ref: str, seller: ReportedSeller) -> Seller:
    """An individual with an account, as an object to be serialized."""
    amounts = [
        [Amount(getattr(quarter, what), quarter.currency) for quarter in seller.quarters]
        for what in ("consideration", "fees", "taxes")
    ]
    address, tin, account = seller.address, seller.tins[0], seller.account
    if account is None:
        raise ValueError("the peer's sellers all have an account")
    person = Person(
        seller.residences[0],
        Issued(tin.value, tin.issued_by),
        Name(seller.first_name, seller.last_name),
        Address(address.country, AddressFix(address.street, address.postcode, address.city), "OECD302"),
        BirthInfo(str(seller.birth_date)),
    )
    goods = SaleOfGoods(
        Consideration(*amounts[0]),
        Numbers(*(quarter.activities for quarter in seller.quarters)),
        Fees(*amounts[1]),
        Taxes(*amounts[2]),
    )
    return Seller(
        Identity(Individual(Standard(person, Account(Typed(account.identifier, account.kind))))),
        Activities(goods),
        DocSpec("OECD1", ref),
    )
