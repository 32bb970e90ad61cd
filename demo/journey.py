"""The journey: a seller's photos become published listings that a buyer finds, and buys."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from demo.client import Account, Client, DemoFailed
from demo.screen import Names, money, suggestions
from demo.seller import Seller
from demo.trade import Item, Trade

PHOTOS_READY_WITHIN_S = 60
CLOCK_AT_MOST_AHEAD = timedelta(days=8 * 365)  # a demo takes up to two years


@dataclass(frozen=True)
class Published:
    """A listing that buyers can see now, or once a moderator has looked at it."""

    name: str
    item: Item
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

    def run(self, photos: dict[str, list[Path]]) -> None:
        """Raises DemoFailed at the first step that does not end as it should."""
        self.accounts.append(("seller", self.seller.sign_up("Greta", "IE")))
        self.console.print("[bold]Greta[/bold] in Ireland signed up with the code from her mail.\n")
        self._look_at_the_clock()
        names = self._names()
        for name, files in photos.items():
            self._sell(name, files, names)
        self.accounts.append(("buyer", self.buyer.sign_up("Bruno", "FR")))
        seen = self._browse()
        Trade(self.seller, self.buyer, self.console).run([listing.item for listing in seen])

    def _look_at_the_clock(self) -> None:
        """Each demo leaves the sandbox's clock a year further on, and there it stays."""
        now = datetime.fromisoformat(self.seller.call("GET", "/api/v1/sandbox/clock").json()["now"])
        if now - datetime.now(UTC) > CLOCK_AT_MOST_AHEAD:
            raise DemoFailed(
                f"The sandbox's clock is in {now.year}, and goes at most ten years ahead: earlier demos "
                f"advanced it. `make clean` gives you an empty database and the time of day."
            )

    def _names(self) -> Names:
        names: dict[str, str] = {}
        for what in ("categories", "colours", "conditions", "materials", "sizes"):
            for item in self.seller.call("GET", f"/api/v1/catalogue/{what}").json()["results"]:
                names[item["id"]] = item.get("name") or item.get("label") or item["id"]
        return Names(names)

    def _sell(self, name: str, files: list[Path], names: Names) -> None:
        say = self.console.print
        started = time.monotonic()
        listing_id = self.seller.draft({})["id"]
        for file in files:
            self.seller.upload(listing_id, file)
        photos = self._wait_for_photos(listing_id)
        sent = sum(file.stat().st_size for file in files)
        say(
            f"[bold cyan]{escape(name)}[/bold cyan]: {_count(len(files), 'photo')} of {sent / 1e6:.1f} MB, "
            f"safe and small after {time.monotonic() - started:.1f} s: upright, without metadata, "
            f"{'/'.join(photos[0]['renditions'])} pixels"
        )
        run, etag, seconds = self.seller.suggestions(listing_id, {})
        if run["status"] not in ("succeeded", "partial"):
            raise DemoFailed(f"The suggestions for {name} ended as {run['status']}: {run.get('failure')}")
        steps = ", ".join(f"{step['name'].replace('_', ' ')} {step['elapsed_ms']}" for step in run["steps"])
        say(f"suggestions {run['status']} after {seconds:.1f} s (ms: {steps})")
        greta = Seller(self.seller, name)
        decided = greta.decide(run["fields"])
        names.number([photo["id"] for photo in photos])
        say(Padding(suggestions(run["fields"], decided, names), (0, 0, 0, 2)))
        self.seller.decide(run["id"], etag, [d.body for d in decided.values() if d.body is not None])
        listing = self._publish(listing_id, greta, names)
        total = time.monotonic() - started
        item = Item(listing_id, listing["title"], listing["price"], files[0])
        self.published.append(Published(name, item, total))
        done = "published" if listing["status"] == "active" else listing["status"].replace("_", " ")
        say(
            f"[green]{done}[/green] after {total:.1f} s: {escape(listing['title'])}, "
            f"{money(listing['price'])}\n"
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

    def _publish(self, listing_id: str, greta: Seller, names: Names) -> dict[str, Any]:
        """Publishing names everything that is missing at once; Greta fills in what only she knows."""
        path = f"/api/v1/listings/{listing_id}/publish"
        # A category that is filled in may ask for more itself: size, brand.
        for _ in range(2):
            answer = self.seller.call("POST", path, json={}, expect=(200, 422))
            if answer.status_code == 200:
                return dict(answer.json())
            listing, _ = self.seller.listing(listing_id)
            missing = {problem["pointer"].lstrip("/").split("/")[0] for problem in answer.json()["errors"]}
            by_hand = {field: greta.fill_in(field, listing["category"]) for field in sorted(missing)}
            if unknown := [field for field, value in by_hand.items() if value is None]:
                raise DemoFailed(f"Publishing {greta.thing} asks for {', '.join(unknown)}")
            said = ", ".join(f"{field} “{names.of(field, {'value': v})}”" for field, v in by_hand.items())
            self.console.print(f"asked for what is missing, Greta adds {escape(said)}")
            self.seller.edit(listing_id, by_hand)
        return dict(self.seller.call("POST", path, json={}).json())

    def _browse(self) -> list[Published]:
        """A buyer from another country finds them and sees the photos; not what is in review."""
        seller_id = self.seller.call("GET", "/api/v1/me").json()["id"]
        page = self.buyer.call("GET", "/api/v1/listings", params={"seller": seller_id, "limit": 100}).json()
        found = {card["id"]: card for card in page["results"]}
        for listing in self.published:
            if listing.item.listing_id not in found:
                status = self.seller.listing(listing.item.listing_id)[0]["status"]
                if status != "in_review":
                    raise DemoFailed(f"The buyer does not find {listing.name}, which is {status}")
                self.console.print(f"A moderator has to look at {escape(listing.name)} first: in review.")
        seen = [listing for listing in self.published if listing.item.listing_id in found]
        if not seen:
            raise DemoFailed("The buyer finds nothing; moderators decide in the admin.")
        cover = next(iter(found.values()))["cover"]["renditions"]["800"]
        picture = self.buyer.http.get(cover)
        if picture.status_code != 200 or picture.headers["content-type"] != "image/jpeg":
            raise DemoFailed(f"{cover} answered {picture.status_code}")
        self.console.print(
            f"[bold]Bruno[/bold], a buyer in France, browses and sees {_count(len(seen), 'new listing')}:"
        )
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold", pad_edge=False)
        table.add_column("title", overflow="fold", ratio=1)
        table.add_column("price", justify="right", no_wrap=True)
        table.add_column("took", justify="right", no_wrap=True)
        table.add_column(f"under {self.base_url}", no_wrap=True)
        for listing in seen:
            table.add_row(
                escape(listing.item.title),
                money(listing.item.price),
                f"{listing.seconds:.1f} s",
                f"/api/v1/listings/{listing.item.listing_id}",
            )
        self.console.print(Padding(table, (0, 0, 0, 2)))
        return seen

    def books(self, trial_balance: list[dict[str, Any]]) -> None:
        """What the ledger says of every account there is. Raises DemoFailed when it does not add up."""
        for balance in trial_balance:
            debit, credit = balance["debit_minor"], balance["credit_minor"]
            if debit != credit:
                raise DemoFailed(f"The ledger does not add up: {balance}")
            self.console.print(
                f"Trial balance of all {len(balance['accounts'])} kinds of account in the ledger: debit "
                f"{debit / 100:.2f}, credit {credit / 100:.2f}, difference {(debit - credit) / 100:.2f} "
                f"{balance['currency']}\n"
            )

    def farewell(self, staff: dict[str, str], *, seconds: float) -> None:
        """Where to look next, and with which sign-in; the staff's are e-mail address and password."""
        say = self.console.print
        say(f"[bold green]Done[/bold green] in {seconds:.0f} s from the start of the demo.\n")
        table = Table(box=None, padding=(0, 2), pad_edge=False, show_header=False)
        table.add_row("API, to read and try", f"{self.base_url}/api/docs")
        table.add_row("Listings, as buyers see them", f"{self.base_url}/api/v1/listings")
        table.add_row("Metrics", f"{self.base_url}/metrics")
        table.add_row("Admin, for staff", f"{self.base_url}/admin/")
        for email, password in staff.items():
            table.add_row("Sign-in to the admin", f"{email}   {password}")
        for role, account in self.accounts:
            table.add_row(f"Sign-in of the {role}", f"{account.email}   {account.password}")
        say(Padding(table, (0, 0, 0, 2)))

    def close(self) -> None:
        """Hang up: the web process waits for open connections before it stops."""
        self.seller.http.close()
        self.buyer.http.close()


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
