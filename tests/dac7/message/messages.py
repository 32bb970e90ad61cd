"""A seller, one without a TIN, a company, and messages about them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

from lxml import etree

from dac7.message.dialects import DIALECTS
from dac7.message.records import (
    BirthPlace,
    Operator,
    PaymentAccount,
    PostalAddress,
    Quarter,
    ReportedSeller,
    SellerKind,
    Tin,
)
from dac7.message.writer import DocSpec, Heading, RecordKind, write_message

YEAR = 2026
TODAY = date(2027, 1, 12)
AT = datetime(2027, 1, 12, 9, 30, tzinfo=UTC)
NONE = Quarter("EUR")

OPERATOR = Operator(
    name="Preloved UAB",
    business_name="Preloved",
    residence="LT",
    tin=Tin("302345678", "LT"),
    registration_number="302345678",
    vat_number="LT100001234567",
    address=PostalAddress("LT", "Vilnius", street="Gedimino pr. 1", postcode="01103"),
)
SELLER = ReportedSeller(
    member_ids=("01M0000000000000000000SALE",),
    kind=SellerKind.INDIVIDUAL,
    residences=("FR", "LT"),
    address=PostalAddress("FR", "Lyon", street="Rue de la Paix 2", postcode="69001"),
    quarters=(Quarter("EUR", 10, 1, 1, 0), NONE, NONE, Quarter("EUR", 2000, 30, 100, 0)),
    tins=(Tin("38001011234", "LT"), Tin("0701987765493", "FR")),
    first_name="Ona",
    last_name="Petraitė",
    birth_date=date(1980, 1, 1),
    account=PaymentAccount("LT121000011101001000", holder_name="Jonas Petraitis"),
)
NAMELESS_TIN = replace(
    SELLER,
    member_ids=("01M0000000000000000000NTIN",),
    tins=(),
    birth_place=BirthPlace("Kaunas", "LT"),
    account=None,
)
COMPANY = ReportedSeller(
    member_ids=("01M0000000000000000000FIRM",),
    kind=SellerKind.ENTITY,
    residences=("LT",),
    address=PostalAddress("LT", "Kaunas", building="5", region="Kauno apskritis"),
    quarters=(NONE, Quarter("EUR", 4000, 40, 200, 0), NONE, NONE),
    tins=(Tin("304567890", "LT"),),
    vat_number="LT100009876543",
    legal_name="Vintažas UAB",
    registration_number="304567890",
    registered_in="LT",
    establishments=("DE", "PL"),
    account=PaymentAccount("LT601010012345678901"),
)


def doc(ref: str, kind: RecordKind = RecordKind.NEW, corrects: str = "") -> DocSpec:
    return DocSpec(kind, ref, corrects)


HEADING = Heading(
    state="LT",
    year=YEAR,
    message_ref="OP_2026_302345678_1",
    indicator="DPI401",
    timestamp=AT,
    operator=OPERATOR,
    operator_doc=doc("o"),
)
HEADINGS = dict.fromkeys(DIALECTS, HEADING) | {
    "fr": replace(
        HEADING,
        state="FR",
        operator=replace(OPERATOR, residence="FR", tin=Tin("302345678", "FR"), vat_number=""),
    )
}


def written(name: str, heading: Heading, sellers: Iterable[tuple[DocSpec, ReportedSeller]]) -> bytes:
    target = io.BytesIO()
    write_message(target, DIALECTS[name], heading, sellers)
    return target.getvalue()


def tree_of(document: bytes) -> etree._Element:
    return etree.fromstring(document)
