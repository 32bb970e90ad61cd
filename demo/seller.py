"""What the demo's seller does with suggestions: takes what is right, corrects what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from demo.client import Client

# What Greta knows of her own things, and no photo can say. Your own photos (PHOTOS=folder) get the
# first choice that is offered, and the words of the folder's name.
KNOWN: dict[str, dict[str, Any]] = {
    "armchair": {"category": "home-armchairs", "materials": ["polyester"], "euros": 120},
    "camera": {"category": "electronics-film-cameras", "euros": 35},
    "clothing-label": {"category": "women-t-shirts", "euros": 12},
    "high-tops": {"size": "39", "euros": 28},
    "skateboard": {"category": "sport-skateboards", "euros": 30},
    "sneakers": {"size": "42", "euros": 40},
    "sofa": {"materials": ["leather"], "euros": 450},
}
ANY_PRICE_IN_EUROS = 25
DESCRIPTION = "Used with care, from a home without smokers."


@dataclass(frozen=True)
class Decided:
    """What is sent for a field (None: nothing to decide) and how it is called on the screen."""

    body: dict[str, Any] | None
    verb: str


class Seller:
    """Greta, with one of her things in front of her."""

    def __init__(self, client: Client, thing: str) -> None:
        self.client = client
        self.thing = thing
        self.known = KNOWN.get(thing, {})
        self.own_title = thing.replace("-", " ").replace("_", " ").strip().capitalize()

    def decide(self, fields: list[dict[str, Any]]) -> dict[str, Decided]:
        """A decision for every field that offers something."""
        category = next((field for field in fields if field["field"] == "category"), None)
        # Texts are composed around what was offered: when that is all wrong, she writes them herself.
        right = category is None or self.known.get("category") in (None, *_offered(category))
        return {field["field"]: self._decision(field, right) for field in fields}

    def _decision(self, field: dict[str, Any], right: bool) -> Decided:
        name, offered = field["field"], _offered(field)
        if not offered:
            return Decided(None, "")
        if name == "category" and (known := self.known.get("category")):
            if known not in offered:
                return _decided(name, "edit", known, "corrects")
            return _decided(name, "accept", known, "accepts" if field["state"] == "proposed" else "chooses")
        if name == "title":
            if not right or len(str(offered[0])) < 10:
                return _decided(name, "edit", f"{self.own_title}, well kept", "writes her own")
            return _decided(name, "edit", f"{offered[0]}, well kept", "edits")
        if name == "description" and not right:
            return _decided(name, "edit", DESCRIPTION, "writes her own")
        if name == "price" and "euros" in self.known:
            return _decided(name, "edit", self._price(), "corrects")
        if name == "parcel_size" and not right:
            return _decided(name, "edit", "medium", "corrects")
        if field["state"] == "proposed":
            return Decided({"field": name, "decision": "accept"}, "accepts")
        return _decided(name, "accept", offered[0], "chooses the first")

    def fill_in(self, field: str, category: str | None) -> Any:
        """What publishing asked for; None when this seller does not know it either."""
        match field:
            case "price":
                return self._price()
            case "title":
                return self.own_title
            case "description":
                return DESCRIPTION
            case "condition":
                return "very_good"
            case "brand":
                return "no-brand"
            case "size":
                return self._size(category)
            case "category":
                return self.known.get("category") or self._leaf_like_the_folder()
            case "parcel_size":
                return "medium"
            case "colours":
                return ["black"]
            case "materials":
                return self.known.get("materials", ["polyester"])
        return None

    def _price(self) -> dict[str, Any]:
        return {"amount": self.known.get("euros", ANY_PRICE_IN_EUROS) * 100, "currency": "EUR"}

    def _size(self, category: str | None) -> str:
        sizes = self.client.call(
            "GET", "/api/v1/catalogue/sizes", params={"category": category} if category else {}
        ).json()["results"]
        wanted = self.known.get("size")
        return next((str(size["id"]) for size in sizes if size["label"] == wanted), "no-label")

    def _leaf_like_the_folder(self) -> str:
        """The leaf whose name shares most words with the folder's: Greta knows what it is."""
        leaves = [
            category
            for category in self.client.call("GET", "/api/v1/catalogue/categories").json()["results"]
            if category["is_leaf"]
        ]
        words = self.own_title.lower().split()
        best = max(leaves, key=lambda leaf: sum(word in leaf["name"].lower() for word in words))
        return str(best["id"])


def _offered(field: dict[str, Any]) -> list[Any]:
    """The value that is filled in, or else the values to choose from."""
    if field["state"] == "proposed":
        return [field["value"]]
    return [alternative["value"] for alternative in field["alternatives"]]


def _decided(field: str, decision: str, value: Any, verb: str) -> Decided:
    return Decided({"field": field, "decision": decision, "value": value}, verb)
