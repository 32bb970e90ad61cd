"""How suggestions are shown on a terminal."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from demo.seller import Decided

SHOWN_ALTERNATIVES = 3
LONGEST = 70
SEPARATOR = " \u203a "  # between the levels of a category's name
SOURCES = {
    "photo": "seen on the photo",
    "label": "read on a label",
    "seller": "the seller said",
    "sales": "comparable items",
    "estimate": "usual price",
    "catalogue": "by the catalogue",
}


class Names:
    """Words for catalogue ids."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

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
    """A row for each field: what was suggested, how sure, why, and what the seller did."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold", pad_edge=False)
    table.add_column("field", no_wrap=True)
    table.add_column("suggested", overflow="fold", ratio=4)
    table.add_column("sure", justify="right", no_wrap=True)
    table.add_column("evidence", overflow="fold", ratio=4)
    table.add_column("Greta", no_wrap=True)
    for field in fields:
        table.add_row(
            field["field"].replace("_", " "),
            escape(_suggested(field, names)),
            "" if field["confidence"] is None else f"{field['confidence']:.0%}",
            escape("; ".join(dict.fromkeys(_because(e) for e in field["evidence"])) or _why_not(field)),
            decided[field["field"]].verb,
        )
    return table


def _suggested(field: dict[str, Any], names: Names) -> str:
    if field["state"] == "proposed":
        return names.of(field["field"], field)
    if field["state"] != "choice":
        return "nothing"
    shown = [names.of(field["field"], item) for item in field["alternatives"][:SHOWN_ALTERNATIVES]]
    more = len(field["alternatives"]) - len(shown)
    return "a choice: " + " | ".join(shown) + (f" | {more} more" if more else "")


def _because(evidence: dict[str, Any]) -> str:
    words = str(SOURCES.get(evidence["source"], evidence["source"]))
    if evidence["source"] in ("photo", "label", "seller") and evidence.get("text"):
        words += f" “{evidence['text']}”"
    if evidence.get("box"):
        words += " (box " + ", ".join(f"{evidence['box'][side]:.2f}" for side in ("left", "top")) + ")"
    if evidence.get("comparables"):
        words += f": {len(evidence['comparables'])}"
    return words


def _why_not(field: dict[str, Any]) -> str:
    return str(field.get("note") or "").replace("_", " ")


def money(amount: dict[str, Any]) -> str:
    """The demo's market is Ireland: euro, two digits."""
    return f"{amount['amount'] / 100:.2f} {amount['currency']}"
