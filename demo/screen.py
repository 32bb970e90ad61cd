"""How suggestions are shown on a terminal."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from demo.client import DemoFailed
from demo.seller import Decided

SHOWN_ALTERNATIVES = 3
LONGEST = 70
SEPARATOR = " \u203a "  # between the levels of a category's name
SOURCES = {
    "photo": "seen",
    "label": "read",
    "seller": "said by the seller",
    "sales": "comparable items",
    "estimate": "usual price",
    "catalogue": "by the catalogue",
}
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "", "right")
MOST = 0.5  # a box with this share of a photo is "most of" it


class Names:
    """Words for catalogue ids, and numbers for photos."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.photos: dict[str, int] = {}

    def number(self, photo_ids: list[str]) -> None:
        """The photos of the listing that is shown next, in their order."""
        self.photos = {id_: place for place, id_ in enumerate(photo_ids, start=1)}

    def of(self, field: str, item: dict[str, Any]) -> str:
        """A value or an alternative, in words."""
        value, label = item["value"], item.get("label")
        if field == "price":
            return f"{label} {money(value)}" if label else money(value)
        if isinstance(value, list):
            return ", ".join(self.names.get(part) or str(part) for part in value)
        text: str = str(label or self.names.get(value) or value)
        if field == "category":
            # The department and the leaf are what tells two of them apart.
            path = text.split(SEPARATOR)
            text = SEPARATOR.join(dict.fromkeys((path[0], path[-1])))
        text = " ".join(text.split())
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def suggestions(fields: list[dict[str, Any]], decided: dict[str, Decided], names: Names) -> Table:
    """A row for each field: what was suggested with the reasons below it, how sure, what the seller did."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold", pad_edge=False)
    table.add_column("field", no_wrap=True)
    table.add_column("suggested, and why", overflow="fold", ratio=1)
    table.add_column("sure", justify="right", no_wrap=True)
    table.add_column("Greta", no_wrap=True)
    for field in fields:
        table.add_row(
            field["field"].replace("_", " "),
            Group(
                escape(_suggested(field, names)), *(Padding(line, (0, 0, 0, 2)) for line in why(field, names))
            ),
            "" if field["confidence"] is None else f"{field['confidence']:.0%}",
            decided[field["field"]].verb,
        )
    return table


def every_cent(orders: list[dict[str, Any]]) -> Table:
    """A row for each order: what the buyer paid and got back, and who has the rest. Each adds up."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold", pad_edge=False, show_footer=True)
    sums = [0] * 8
    rows = []
    for order in orders:
        paid = order["money"]
        parts = [
            *(paid["card"], paid["wallet"], paid["refunded_card"], paid["refunded_wallet"]),
            *(paid["seller_gets"], paid["fee"]["net"], paid["fee"]["vat"], paid["shipping"]),
        ]
        minors = [part["amount"] for part in parts]
        if sum(minors[:2]) - sum(minors[2:4]) != sum(minors[4:]):
            raise DemoFailed(f"The order {order['id']} does not add up: {paid}")
        sums = [total + minor for total, minor in zip(sums, minors, strict=True)]
        title = ", ".join(item["title"] for item in order["items"])
        rows.append([escape(title), *(f"{minor / 100:.2f}" for minor in minors)])
    table.add_column("EUR", "together", overflow="fold", ratio=1)
    heads = ("by card", "by wallet", "to card", "to wallet", "seller", "our fee", "its VAT", "carrier")
    for head, total in zip(heads, sums, strict=True):
        table.add_column(head, f"{total / 100:.2f}", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def why(field: dict[str, Any], names: Names) -> list[Text]:
    """A line for each reason, dim; why there is nothing or only a choice comes last."""
    lines = [_because(piece, names) for piece in field["evidence"]]
    if field["note"]:
        lines.append(field["note"].replace("_", " "))
    return [Text(f"\u00b7 {line}", style="dim") for line in dict.fromkeys(lines)]


def _suggested(field: dict[str, Any], names: Names) -> str:
    if field["state"] == "proposed":
        return names.of(field["field"], field)
    if field["state"] != "choice":
        return "nothing"
    shown = [names.of(field["field"], item) for item in field["alternatives"][:SHOWN_ALTERNATIVES]]
    more = len(field["alternatives"]) - len(shown)
    return "a choice: " + " | ".join(shown) + (f" | {more} more" if more else "")


def _because(evidence: dict[str, Any], names: Names) -> str:
    """ "brand: “ESPRIT” (read, photo 2, top)"."""
    where = [str(SOURCES.get(evidence["source"], evidence["source"]))]
    if evidence.get("photo_id") in names.photos:
        where += [f"photo {names.photos[evidence['photo_id']]}", *_place(evidence.get("box"))]
    text, comparables = evidence.get("text"), evidence.get("comparables")
    if text and evidence["source"] in ("label", "seller"):
        what = f"“{text}”"
    elif text:
        what = str(names.names.get(text) or text.replace("_", " "))
    elif comparables:
        what = f"{len(comparables)}, {sum(item['sold'] for item in comparables)} of them sold"
    else:
        what = str(evidence.get("note") or "").replace("_", " ")
    of = f"{evidence['field'].replace('_', ' ')}: " if evidence.get("field") else ""
    return f"{of}{what} ({', '.join(where)})"


def _place(box: dict[str, float] | None) -> list[str]:
    """Where on the photo, in a word or two; nothing where no place is known."""
    if box is None:
        return []
    if box["width"] * box["height"] >= MOST:
        return ["most of it"]
    row = ROWS[min(2, int(3 * (box["top"] + box["height"] / 2)))]
    column = COLUMNS[min(2, int(3 * (box["left"] + box["width"] / 2)))]
    return [f"{row} {column}".rstrip()]


def money(amount: dict[str, Any]) -> str:
    """The demo's market is Ireland: euro, two digits."""
    return f"{amount['amount'] / 100:.2f} {amount['currency']}"
