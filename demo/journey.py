"""The journey: a seller's photos become published listings that a buyer finds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.client import Account, Client, DemoFailed

PHOTOS_READY_WITHIN_S = 60
# What the seller types when nothing is suggested or nothing fits: what only a seller can know.
PRICE = {"amount": 2500, "currency": "EUR"}
DESCRIPTION = "Used with care, from a home without smokers."


@dataclass(frozen=True)
class Published:
    """A listing that buyers can see now."""

    name: str
    id: str
    title: str
    price: str
    seconds: float


class Journey:
    """Runs the steps and prints what happened."""

    def __init__(self, base_url: str, mail_folder: Path, console: Console) -> None:
        self.base_url = base_url
        self.console = console
        self.seller = Client(base_url, mail_folder)
        self.buyer = Client(base_url, mail_folder)
        self.accounts: list[tuple[str, Account]] = []
        self.published: list[Published] = []
        self.labels: dict[str, str] = {}

    def run(self, photos: dict[str, list[Path]]) -> None:
        """Raises DemoFailed at the first step that does not end as it should."""
        say = self.console.print
        self.accounts.append(("seller", self.seller.sign_up("Greta", "DE")))
        say("[bold]1.[/bold] Greta signed up with the code from her mail (Germany, euro).\n")
        self._learn_names()
        for number, (name, files) in enumerate(photos.items(), start=2):
            say(
                f"[bold]{number}.[/bold] [bold cyan]{escape(name)}[/bold cyan]: {_count(len(files), 'photo')}"
            )
            self._sell(name, files)
        self.accounts.append(("buyer", self.buyer.sign_up("Bruno", "FR")))
        self._browse()

    def _learn_names(self) -> None:
        """Names of catalogue ids, to show people words."""
        for what in ("categories", "colours", "conditions", "materials", "sizes"):
            for item in self.seller.call("GET", f"/api/v1/catalogue/{what}").json()["results"]:
                self.labels[item["id"]] = item.get("name") or item.get("label") or item["id"]

    def _sell(self, name: str, files: list[Path]) -> None:
        started = time.monotonic()
        listing_id = self.seller.draft({})["id"]
        for file in files:
            self.seller.upload(listing_id, file)
        photos = self._wait_for_photos(listing_id)
        safe = time.monotonic() - started
        sent = sum(file.stat().st_size for file in files)
        self.console.print(
            f"   sent {sent / 1e6:.1f} MB; safe and small after {safe:.1f} s: upright, no metadata, "
            f"renditions of {', '.join(photos[0]['renditions'])} pixels"
        )
        run, seconds = self.seller.suggestions(listing_id, {})
        if run["status"] not in ("succeeded", "partial"):
            raise DemoFailed(f"The suggestions for {name} ended as {run['status']}: {run.get('failure')}")
        self.console.print(f"   suggestions {run['status']} after {seconds:.1f} s ({self._steps(run)})")
        self._decide(run)
        done = self._publish(listing_id, name)
        total = time.monotonic() - started
        self.published.append(Published(name, listing_id, done["title"], _money(done["price"]), total))
        self.console.print(
            f"   [green]published[/green] after {total:.1f} s: "
            f"{escape(done['title'])}, {_money(done['price'])}\n"
        )

    def _wait_for_photos(self, listing_id: str) -> list[dict[str, Any]]:
        until = time.monotonic() + PHOTOS_READY_WITHIN_S
        while True:
            photos = self.seller.call("GET", f"/api/v1/listings/{listing_id}/photos").json()["results"]
            for photo in photos:
                if photo["status"] == "failed":
                    raise DemoFailed(f"A photo could not be used: {photo['failure']}")
            if all(photo["status"] == "ready" for photo in photos):
                return list(photos)
            if time.monotonic() > until:
                raise DemoFailed(
                    f"The photos are not ready after {PHOTOS_READY_WITHIN_S} s; is the worker alive?"
                )
            time.sleep(0.15)

    def _steps(self, run: dict[str, Any]) -> str:
        return ", ".join(f"{step['name']} {step['elapsed_ms']} ms" for step in run["steps"])

    def _decide(self, run: dict[str, Any]) -> None:
        """Accept what is filled in, choose where a choice is offered; show all of it."""
        table = Table(box=None, padding=(0, 2, 0, 3), header_style="bold")
        for heading in ("field", "suggested", "sure", "because", "Greta"):
            table.add_column(
                heading, overflow="fold", max_width=44 if heading in ("suggested", "because") else None
            )
        decisions: list[dict[str, Any]] = []
        for field in run["fields"]:
            decision, words = self._decision(field)
            if decision:
                decisions.append(decision)
            table.add_row(
                field["field"],
                escape(self._suggested(field)),
                "" if field["confidence"] is None else f"{field['confidence']:.0%}",
                escape(
                    "; ".join(self._because(evidence) for evidence in field["evidence"][:3])
                    or field["note"]
                    or ""
                ),
                words,
            )
        self.console.print(table)
        if decisions:
            self.seller.call(
                "POST", f"/api/v1/suggestion-runs/{run['id']}/decisions", json={"decisions": decisions}
            )

    def _decision(self, field: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
        name = field["field"]
        if field["state"] == "proposed":
            if name == "title":
                edited = f"{field['value']} (well kept)"
                return {"field": name, "decision": "edited", "value": edited}, "edits"
            return {"field": name, "decision": "accepted"}, "accepts"
        if field["state"] == "choice" and field["alternatives"]:
            chosen = field["alternatives"][0]
            return (
                {"field": name, "decision": "accepted", "value": chosen["value"]},
                f"chooses {self._words(name, chosen)}",
            )
        return None, ""

    def _suggested(self, field: dict[str, Any]) -> str:
        if field["state"] == "proposed":
            return self._words(field["field"], field)
        if field["state"] == "choice":
            return "one of: " + " | ".join(self._words(field["field"], a) for a in field["alternatives"])
        return "-"

    def _words(self, name: str, item: dict[str, Any]) -> str:
        value = item["value"]
        if item.get("label"):
            return f"{item['label']} {_money(value)}" if name == "price" else str(item["label"])
        if name == "price":
            return _money(value)
        if isinstance(value, list):
            return ", ".join(self.labels.get(part) or str(part) for part in value)
        return self.labels.get(value, str(value))

    def _because(self, evidence: dict[str, Any]) -> str:
        """Evidence in a few words."""
        words: str = {
            "photo": "seen on the photo",
            "label": "read on a label",
            "seller": "the seller said",
            "sales": "comparable items",
            "estimate": "usual price",
            "catalogue": "follows from the catalogue",
        }.get(evidence["source"], evidence["source"])
        if evidence.get("text"):
            words += f" “{evidence['text']}”"
        elif evidence.get("note"):
            words += f" ({evidence['note'].replace('_', ' ')})"
        if evidence.get("comparables"):
            words += f": {len(evidence['comparables'])}"
        return words

    def _publish(self, listing_id: str, name: str) -> dict[str, Any]:
        """Publishing names everything that is missing at once; Greta fills in what only she knows."""
        path = f"/api/v1/listings/{listing_id}/publish"
        answer = self.seller.call("POST", path, json={}, expect=(200, 422))
        if answer.status_code == 422:
            missing = {problem["pointer"].lstrip("/").split("/")[0] for problem in answer.json()["errors"]}
            by_hand = {field: self._known_to_seller(field, name) for field in sorted(missing)}
            self.console.print(
                "   asked for what is missing, Greta adds "
                + escape(
                    ", ".join(f"{field} “{self._words(field, {'value': v})}”" for field, v in by_hand.items())
                )
            )
            self.seller.edit(listing_id, by_hand)
            answer = self.seller.call("POST", path, json={})
        return dict(answer.json())

    def _known_to_seller(self, field: str, name: str) -> Any:
        match field:
            case "price":
                return PRICE
            case "title":
                return name.replace("-", " ").replace("_", " ").capitalize()
            case "description":
                return DESCRIPTION
            case "condition":
                return "very_good"
            case "brand":
                return "no-brand"
            case "size":
                return "no-label"
            case "category":
                return self._leaf_like(name)
            case "parcel_size":
                return "medium"
            case "colours":
                return ["black"]
            case "materials":
                return [self.seller.call("GET", "/api/v1/catalogue/materials").json()["results"][0]["id"]]
        raise DemoFailed(f"Publishing asks for {field} of {name}, which this seller does not know")

    def _leaf_like(self, name: str) -> str:
        """A leaf whose name has the folder's words in it, else the first: the seller knows what it is."""
        leaves = [
            category
            for category in self.seller.call("GET", "/api/v1/catalogue/categories").json()["results"]
            if category["is_leaf"]
        ]
        words = name.lower().replace("-", " ").split()
        best = max(leaves, key=lambda leaf: sum(word in leaf["name"].lower() for word in words))
        return str(best["id"])

    def _browse(self) -> None:
        """A buyer from another country finds every one of them."""
        seller_id = self.seller.call("GET", "/api/v1/me").json()["id"]
        page = self.buyer.call("GET", "/api/v1/listings", params={"seller": seller_id, "limit": 100}).json()
        found = {card["id"]: card for card in page["results"]}
        missing = [listing.name for listing in self.published if listing.id not in found]
        if missing:
            raise DemoFailed(f"The buyer does not find {', '.join(missing)}")
        cover = next(iter(found.values()))["cover"]["renditions"]["800"]
        picture = self.buyer.http.get(cover)
        if picture.status_code != 200 or picture.headers["content-type"] != "image/jpeg":
            raise DemoFailed(f"{cover} answered {picture.status_code}")
        self.console.print(
            f"[bold]Bruno[/bold], a buyer in France, browses and sees "
            f"{_count(len(self.published), 'new listing')}:\n"
        )
        table = Table(box=None, padding=(0, 2, 0, 3), header_style="bold")
        for heading in ("title", "price", "photo to published", "address"):
            table.add_column(heading, overflow="fold")
        for listing in self.published:
            table.add_row(
                escape(listing.title),
                listing.price,
                f"{listing.seconds:.1f} s",
                f"{self.base_url}/api/v1/listings/{listing.id}",
            )
        self.console.print(table)

    def farewell(self, admin: tuple[str, str], *, seconds: float) -> None:
        """Where to look next, and with which sign-in."""
        say = self.console.print
        say(f"\n[bold green]Done[/bold green] in {seconds:.0f} s from the start of the demo.\n")
        table = Table(box=None, padding=(0, 2, 0, 3), show_header=False)
        table.add_row("API, to read and try", f"{self.base_url}/api/docs")
        table.add_row("Listings, as a buyer sees them", f"{self.base_url}/api/v1/listings")
        table.add_row("Admin, for moderators", f"{self.base_url}/admin/   {admin[0]}   {admin[1]}")
        for role, account in self.accounts:
            table.add_row(f"Sign-in of the {role}", f"{account.email}   {account.password}")
        table.add_row("Metrics", f"{self.base_url}/metrics")
        say(table)


def _money(money: dict[str, Any]) -> str:
    # The demo's market is Germany: euro, two digits.
    return f"{money['amount'] / 100:.2f} {money['currency']}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
