"""Writing the message to the tax authority: sellers per second and memory; then bench.dac7_compile.

In turns with two peers that write the same records: straight-line calls of lxml's ``xmlfile``, to the same
bytes, and xsdata's serializer from objects made beforehand. Then what a file of 200,000 sellers needs of
memory against one of 10,000, each in a process of its own.
"""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lxml import etree
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig

from bench import dac7_model as model
from bench.figures import Figure, interleaved_rates
from dac7.message.dialects import DIALECTS
from dac7.message.records import (
    Operator,
    PaymentAccount,
    PostalAddress,
    Quarter,
    ReportedSeller,
    SellerKind,
    Tin,
)
from dac7.message.writer import DocSpec, Heading, RecordKind, write_message

FEW, MANY = 10_000, int(os.environ.get("DAC7_BENCH_SELLERS", "200000"))
AT_ONCE = 500
HOME = PostalAddress("LT", "Vilnius", street="Gedimino pr. 1", postcode="01103")
HEADING = Heading(
    state="LT",
    year=2026,
    message_ref="LT2026-300000000-1-1",
    indicator="DPI401",
    timestamp=datetime(2027, 1, 12, 9, 30, tzinfo=UTC),
    operator=Operator("Preloved UAB", "Preloved", "LT", Tin("300000000", "LT"), "300000000", "", HOME),
    operator_doc=DocSpec(RecordKind.NEW, "LT2026-300000000-1-1-operator"),
)
NAMESPACE = DIALECTS["sandbox"].namespace


def sellers(number: int) -> Iterator[tuple[DocSpec, ReportedSeller]]:
    """As many people who sold, one after the other."""
    for place in range(number):
        seller_id = f"01J{place:023d}"
        quarters = [Quarter("EUR", 500 + (place + n) % 977, 7 + n, 25, 0) for n in range(4)]
        yield (
            DocSpec(RecordKind.NEW, f"LT2026-300000000-1-{seller_id}"),
            ReportedSeller(
                member_ids=(seller_id,),
                kind=SellerKind.INDIVIDUAL,
                residences=("LT",),
                address=replace(HOME, street=f"Gatvė {place}"),
                quarters=(quarters[0], quarters[1], quarters[2], quarters[3]),
                tins=(Tin(f"3{place:010d}", "LT"),),
                first_name="Ona",
                last_name=f"Petraitė {place}",
                birth_date=date(1980, 1, 1 + place % 28),
                account=PaymentAccount(f"LT12{place:016d}"),
            ),
        )


def tag(name: str) -> str:
    """A name as lxml wants it."""
    return f"{{{NAMESPACE}}}{name}"


def write_bare(target: Any, records: list[tuple[DocSpec, ReportedSeller]]) -> None:
    """The same bytes by straight-line calls: what a program for this one form and these records would do."""
    T = {name: tag(name) for name in _NAMES}  # noqa: N806  # a constant, but for the namespace
    with etree.xmlfile(target, encoding="utf-8") as file:
        file.write_declaration()
        el, w = file.element, file.write

        def leaf(name: str, text: str) -> None:
            with el(T[name]):
                w(text)

        with el(T["DPI_Sandbox"], {"version": "1.0"}, nsmap={"dpi": NAMESPACE}):
            with el(T["MessageSpec"]):
                leaf("SendingEntityIN", "300000000")
                leaf("TransmittingCountry", "LT")
                leaf("ReceivingCountry", "LT")
                leaf("MessageType", "DPI")
                leaf("MessageRefId", HEADING.message_ref)
                leaf("MessageTypeIndic", "DPI401")
                leaf("ReportingPeriod", "2026-12-31")
                leaf("Timestamp", "2027-01-12T10:30:00")
            with el(T["DPIBody"]):
                with el(T["PlatformOperator"]):
                    leaf("ResCountryCode", "LT")
                    with el(T["TIN"], {"issuedBy": "LT"}):
                        w("300000000")
                    with el(T["IN"], {"issuedBy": "LT", "INType": "BRN"}):
                        w("300000000")
                    leaf("Name", "Preloved UAB")
                    leaf("PlatformBusinessName", "Preloved")
                    with el(T["Address"], {"legalAddressType": "OECD304"}):
                        leaf("CountryCode", "LT")
                        with el(T["AddressFix"]):
                            leaf("Street", HOME.street)
                            leaf("PostCode", HOME.postcode)
                            leaf("City", HOME.city)
                    leaf("Nexus", "RPONEX1")
                    leaf("AssumedReporting", "false")
                    with el(T["DocSpec"]):
                        leaf("DocTypeIndic", "OECD1")
                        leaf("DocRefId", HEADING.operator_doc.ref)
                for doc, seller in records:
                    w("\n")
                    with el(T["ReportableSeller"]):
                        with el(T["Identity"]), el(T["IndividualSeller"]), el(T["Standard"]):
                            with el(T["IndSellerID"]):
                                leaf("ResCountryCode", seller.residences[0])
                                with el(T["TIN"], {"issuedBy": seller.tins[0].issued_by}):
                                    w(seller.tins[0].value)
                                with el(T["Name"]):
                                    leaf("FirstName", seller.first_name)
                                    leaf("LastName", seller.last_name)
                                with el(T["Address"], {"legalAddressType": "OECD302"}):
                                    leaf("CountryCode", seller.address.country)
                                    with el(T["AddressFix"]):
                                        leaf("Street", seller.address.street)
                                        leaf("PostCode", seller.address.postcode)
                                        leaf("City", seller.address.city)
                                with el(T["BirthInfo"]):
                                    leaf("BirthDate", str(seller.birth_date))
                            if seller.account is not None:
                                with (
                                    el(T["FinancialIdentifier"]),
                                    el(T["Identifier"], {"AccountNumberType": "IBAN"}),
                                ):
                                    w(seller.account.identifier)
                        with el(T["RelevantActivities"]), el(T["SaleOfGoods"]):
                            with el(T["Consideration"]):
                                for n, quarter in enumerate(seller.quarters, 1):
                                    with el(T[f"ConsQ{n}"], {"currCode": quarter.currency}):
                                        w(str(quarter.consideration))
                            with el(T["NumberOfActivities"]):
                                for n, quarter in enumerate(seller.quarters, 1):
                                    with el(T[f"NumbQ{n}"]):
                                        w(str(quarter.activities))
                            with el(T["Fees"]):
                                for n, quarter in enumerate(seller.quarters, 1):
                                    with el(T[f"FeesQ{n}"], {"currCode": quarter.currency}):
                                        w(str(quarter.fees))
                            with el(T["Taxes"]):
                                for n, quarter in enumerate(seller.quarters, 1):
                                    with el(T[f"TaxQ{n}"], {"currCode": quarter.currency}):
                                        w(str(quarter.taxes))
                        with el(T["DocSpec"]):
                            leaf("DocTypeIndic", "OECD1")
                            leaf("DocRefId", doc.ref)


_NAMES = """
    DPI_Sandbox MessageSpec SendingEntityIN TransmittingCountry ReceivingCountry MessageType MessageRefId
    MessageTypeIndic ReportingPeriod Timestamp DPIBody PlatformOperator ReportableSeller Identity
    IndividualSeller Standard IndSellerID ResCountryCode TIN IN Name FirstName LastName PlatformBusinessName
    Address CountryCode AddressFix Street PostCode City Nexus AssumedReporting BirthInfo BirthDate
    FinancialIdentifier Identifier RelevantActivities SaleOfGoods Consideration NumberOfActivities Fees Taxes
    ConsQ1 ConsQ2 ConsQ3 ConsQ4 NumbQ1 NumbQ2 NumbQ3 NumbQ4 FeesQ1 FeesQ2 FeesQ3 FeesQ4
    TaxQ1 TaxQ2 TaxQ3 TaxQ4 DocSpec DocTypeIndic DocRefId
""".split()  # noqa: SIM905  # sixty quoted names would say less


def write_own(target: Any, records: list[tuple[DocSpec, ReportedSeller]]) -> None:
    """As the service does."""
    write_message(target, DIALECTS["sandbox"], HEADING, iter(records))


def rates() -> None:
    """Sellers per second of the three."""
    records = list(sellers(AT_ONCE))
    own, bare = io.BytesIO(), io.BytesIO()
    write_own(own, records)
    write_bare(bare, records)
    if own.getvalue() != bare.getvalue():
        raise RuntimeError("the peer does not write the same document")
    objects = model.Body([model.seller_of(doc.ref, seller) for doc, seller in records])
    serializer = XmlSerializer(config=SerializerConfig(xml_declaration=True))
    namespaces = {"dpi": NAMESPACE}
    written = serializer.render(objects, ns_map=namespaces)
    if len(etree.fromstring(written.encode())) != AT_ONCE:
        raise RuntimeError("xsdata does not write the same sellers")
    found = interleaved_rates(
        {
            "own": lambda: write_own(io.BytesIO(), records),
            "bare": lambda: write_bare(io.BytesIO(), records),
            "xsdata": lambda: serializer.render(objects, ns_map=namespaces),
        },
        rounds=7,
        seconds=1.5,
        clock=time.process_time,
    )
    per_second = found["own"] * AT_ONCE
    for peer, target in (("bare", 0.8), ("xsdata", 4.0)):
        names = {"bare": "lxml xmlfile, straight-line", "xsdata": "xsdata serializer"}
        ratio = found["own"] / found[peer]
        Figure("dac7", f"xml_against_{peer}", per_second, "sellers/s", names[peer], ratio, target).show()


def memory() -> None:
    """Peak resident memory of writing few and many, to nowhere."""
    peaks = {}
    for number in (FEW, MANY):
        command = [sys.executable, "-m", "bench.dac7", "write", str(number)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own module
        peaks[number] = int(done.stdout)
    growth = peaks[MANY] / peaks[FEW]
    Figure(
        "dac7", f"xml_memory_of_{MANY}", peaks[MANY] / 1024, "MiB", f"of {FEW}, at most 1.2", growth, None
    ).show()


def main(arguments: list[str]) -> None:
    """All figures; or, as a process of its own, one file."""
    if arguments[:1] == ["write"]:
        with Path(os.devnull).open("wb") as nowhere:
            write_message(nowhere, DIALECTS["sandbox"], HEADING, sellers(int(arguments[1])))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    rates()
    memory()
    command = [sys.executable, "-m", "bench.dac7_compile", "measure"]
    subprocess.run(command, check=True)  # noqa: S603  # our own module


if __name__ == "__main__":
    main(sys.argv[1:])
