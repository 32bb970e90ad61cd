"""The demo's ending: Greta's year is reported to the sandbox's tax authority (DAC7).

Greta and the clock are driven over the API, the two persons of the staff over the admin's pages. Only the
thirty sales that Greta is reported for come from nowhere: see demo/past_sales.py.
"""

from __future__ import annotations

import io
import json
import secrets
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from lxml import etree
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from dac7.message.dialects import DIALECTS
from dac7.message.sandbox_authority import answer
from dac7.message.schemas import load_schema
from demo.client import Client, DemoFailed
from demo.commands import manage
from demo.screen import money
from demo.staff import TaxStaff

SALES, CENTS = 30, 450
QUARTERS: Final = (1, 2, 3, 4)
FARTHEST: Final = timedelta(days=300)  # the sandbox's clock goes 366 days at once
CLOCK_WITHIN_S, CHECKED_WITHIN_S = 60, 30
PROFILE: Final = {
    "entity_type": "individual",
    "first_name": "Greta",
    "last_name": "Byrne",
    "birth_date": "1990-05-17",
    "address": {"street": "Thomas Street 7", "postal_code": "D08 VF8H", "city": "Dublin", "country": "IE"},
    "tins": [{"state": "IE", "number": "6433435F"}],
}
PREPARE: Final = """
import json, os
from demo.past_sales import make_staff, post_past_sales
told = json.loads(os.environ["DEMO_FILING"])
post_past_sales(told["seller_id"], number=told["number"], cents=told["cents"])
for email, password in told["staff"].items():
    make_staff(email, password)
"""


def file_year(
    seller: Client, environment: dict[str, str], base_url: str, folder: Path, console: Console
) -> dict[str, str]:
    """From the seller's tax profile to the authority's answer, and the seller's copy in the folder.

    Gives the two persons of the staff, by e-mail address their password. Raises DemoFailed.
    """
    started = time.monotonic()
    console.print("[bold]Taxes[/bold] (DAC7): what the platform has to report of Greta, and when")
    _give_profile(seller, console)
    _tell_standing(seller, console)
    staff = {f"{name}@demo.example": secrets.token_urlsafe(12) for name in ("anna", "bernd")}
    _prepare(seller, environment, staff)
    console.print(f"  {SALES} small sales of hers are posted to the ledger (no listings are behind them).")
    year = _tell_standing(seller, console)
    _advance_to(seller, datetime(year + 1, 1, 2, 9, tzinfo=UTC))
    console.print(f"  The sandbox's clock goes to 2 January {year + 1}: the filing of {year} opens.")
    first, second = (TaxStaff(base_url, *account) for account in staff.items())
    try:
        _file(first, second, year, folder, console)
    finally:
        first.close()
        second.close()
    _give_copy(seller, year, folder, console)
    console.print(f"  [green]filed and accepted[/green] after {time.monotonic() - started:.1f} s\n")
    return staff


def _give_profile(seller: Client, console: Console) -> None:
    """Most of it is known from her details for withdrawals; she adds what is missing."""
    known = seller.call("GET", "/api/v1/tax-profile").json()
    asked = sorted({problem["pointer"].strip("/").split("/")[0] for problem in known["missing"]})
    added = {name: PROFILE[name] for name in asked if name in PROFILE}
    seller.call("PUT", "/api/v1/tax-profile", json={name: known[name] for name in PROFILE} | added)
    console.print(
        f"  Her profile is pre-filled from what she said to be paid; it asks only for: {', '.join(asked)}. "
        "Greta adds it; all is kept encrypted."
    )


def _prepare(seller: Client, environment: dict[str, str], staff: dict[str, str]) -> None:
    seller_id = seller.call("GET", "/api/v1/me").json()["id"]
    told = {"seller_id": seller_id, "number": SALES, "cents": CENTS, "staff": staff}
    manage({**environment, "DEMO_FILING": json.dumps(told)}, "shell", "-v", "0", "-c", PREPARE)


def _tell_standing(seller: Client, console: Console) -> int:
    """Print what GET /tax-status says; gives its year."""
    status = seller.call("GET", "/api/v1/tax-status").json()
    reported = status["standing"] == "over"
    limits = status["limits"]
    from_it = "" if limits["amount_itself"] else "more than "
    words = f"{limits['sales']} sales or {from_it}{money(limits['amount'])}"
    console.print(
        f"  {status['year']} so far: {_sales(status['sales'])}, {money(status['net_in_euros'])} net: "
        + ("[bold]reported[/bold]" if reported else "not reported")
        + f": it takes {words}."
    )
    return int(status["year"])


def _sales(number: int) -> str:
    return f"{number} sale{'' if number == 1 else 's'}"


def _advance_to(seller: Client, goal: datetime) -> None:
    until = time.monotonic() + CLOCK_WITHIN_S
    clock = seller.call("GET", "/api/v1/sandbox/clock").json()
    while (now := datetime.fromisoformat(clock["now"])) < goal:
        if time.monotonic() > until:
            raise DemoFailed(f"The sandbox's clock is at {now} after {CLOCK_WITHIN_S} s")
        if clock["advancing_to"]:
            clock = seller.call("GET", "/api/v1/sandbox/clock", headers={"Prefer": "wait=10"}).json()
            continue
        to = min(goal, now + FARTHEST).isoformat().replace("+00:00", "Z")
        clock = seller.call("POST", "/api/v1/sandbox/clock", json={"to": to}, expect=(200, 202)).json()


def _file(first: TaxStaff, second: TaxStaff, year: int, folder: Path, console: Console) -> None:
    until = time.monotonic() + CHECKED_WITHIN_S
    filing_id, status = first.find_filing(year)
    while status in ("collecting", "compiled"):  # a worker is at it
        if time.monotonic() > until:
            raise DemoFailed(f"The filing is still {status}; its page in the admin says why")
        time.sleep(0.2)
        status = first.status_of(filing_id)
    first.decide(filing_id, "review", "The sum is the ledger's.")
    second.decide(filing_id, "approve", "Agreed.")
    console.print("  Figures are frozen and checked. Anna reviews, Bernd approves: nobody may do both.")
    name, document = first.export(filing_id, "To the sandbox's authority", CHECKED_WITHIN_S)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(document)
    load_schema(DIALECTS["sandbox"], "").assertValid(etree.parse(io.BytesIO(document)))
    console.print(f"  {len(document)} bytes of XML, valid by our schema: {folder / name}")
    console.print(Padding(summary(document), (0, 0, 0, 2)))
    first.decide(filing_id, "mark_filed", "Handed to the sandbox's authority")
    first.import_status(answer(document, year=year, today=date(year + 1, 1, 2)))
    if (status := first.status_of(filing_id)) != "accepted":
        raise DemoFailed(f"The authority's answer left the filing {status}")
    console.print("  The authority accepts it; its status message is imported.")


def summary(document: bytes) -> Table:
    """A row for each seller of the file: where resident, and each quarter's amount and activities."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold", pad_edge=False)
    for column in ("seller", "record", "resident", *(f"Q{n}" for n in QUARTERS)):
        table.add_column(column, justify="right" if column.startswith("Q") else "left")
    for record in etree.fromstring(document).iterfind(".//{*}ReportableSeller"):
        said = {etree.QName(element).localname: element for element in record.iter("{*}*")}

        def text(name: str, said: dict[str, Any] = said) -> str:
            return str(said[name].text) if name in said else ""

        quarters = [
            f"{text(f'ConsQ{n}')} {said[f'ConsQ{n}'].get('currCode')} / {text(f'NumbQ{n}')}" for n in QUARTERS
        ]
        name = f"{text('FirstName')} {text('LastName')}".strip() or text("Name")
        table.add_row(escape(name), text("DocTypeIndic"), text("ResCountryCode"), *quarters)
    return table


def _give_copy(seller: Client, year: int, folder: Path, console: Console) -> None:
    path = folder / f"tax-statement-{year}.pdf"
    path.write_bytes(seller.call("GET", f"/api/v1/tax-statements/{year}", params={"format": "pdf"}).content)
    console.print(f"  Greta's copy, with the same figures: {path}")
