"""What generated requests meet: members, listings in every useful state, runs; and ids to aim them at."""

from __future__ import annotations

import json
import sys
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from ai_suggestions import services as suggestions
from balance.services.sending import advance_withdrawal
from members.models import Member
from orders.services import issues
from orders.services.bundling import create_bundle
from tests.factories.banking import OTHER_LT_IBAN, activate, make_bank_account, withdraw
from tests.factories.listings import image_bytes, make_draft, make_listing, make_photo
from tests.factories.members import make_member
from tests.factories.money import euros, give
from tests.factories.order_life import A_PART, issue_of, order_in
from tests.factories.orders import load_small_world, offer
from tests.members.visitor import Visitor

if TYPE_CHECKING:
    import schemathesis

SELLER = "seller@example.test"


@dataclass
class World:
    """The seller who asks, and whom she meets."""

    seller_id: str
    buyer_id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Of the seller, whose token every request carries."""
        return {"Authorization": f"Bearer {self.token}"}


def build() -> World:
    """Two members of one market with a small catalogue; the seller is signed in over HTTP."""
    load_small_world()
    seller, buyer = make_member("Ona", email=SELLER, plan="professional"), make_member("Buyer")
    visitor = Visitor()
    assert visitor.sign_in(SELLER).status_code == 200
    assert visitor.access_token
    return World(str(seller.pk), str(buyer.pk), visitor.access_token)


def things(world: World) -> dict[str, list[str]]:
    """New listings in every useful state, a photo and a run: for each path parameter what exists."""
    now = timezone.now()
    own_draft = make_draft(world.seller_id, now=now)
    photo = make_photo(own_draft, now=now)
    bare_draft = make_draft(world.seller_id, complete=False, now=now)
    own_active = make_listing(world.seller_id, now=now)
    foreign = make_listing(world.buyer_id, now=now)
    run, _ = suggestions.request_run(member_id=world.seller_id, listing_id=own_draft.id, now=now)
    batch = suggestions.request_batch(member_id=world.seller_id, listing_ids=[bare_draft.id], now=now)
    give(world.seller_id, 10_000)
    activate(world.seller_id)
    account = make_bank_account(world.seller_id)
    fresh_account = make_bank_account(world.seller_id, iban=OTHER_LT_IBAN, now=now)
    requested, sent = (withdraw(world.seller_id, account.id, euros(1000), now=now) for _ in range(2))
    advance_withdrawal(withdrawal_id=sent.id, now=now)
    made = offer(world.seller_id, foreign, 1000, now=now)
    got = offer(world.buyer_id, own_active, 1000, now=now)
    bundle = create_bundle(buyer_id=world.seller_id, listing_ids=[foreign.id], now=now)
    return {
        "listing_id": [own_draft.id, bare_draft.id, own_active.id, foreign.id],
        "photo_id": [photo.id],
        "run_id": [run.id],
        "batch_id": [batch.id],
        "bank_account_id": [account.id, fresh_account.id],
        "withdrawal_id": [requested.id, sent.id],
        "offer_id": [made.id, got.id],
        "bundle_id": [bundle.id],
        "month": [f"{now:%Y-%m}"],
        "member_id": [world.buyer_id, world.seller_id],
        "category_id": ["women-t-shirts", "women"],
    }


def orders_of(world: World) -> dict[str, list[str]]:
    """Orders that the seller bought and sold, in every stage that can be acted on, and issues."""
    began = timezone.now() - timedelta(hours=4)
    me, other = Member.objects.get(id=world.seller_id), Member.objects.get(id=world.buyer_id)
    fresh = order_in("pending_payment", other, me, now=timezone.now())
    bought = [order_in(status, other, me, now=began) for status in ("paid", "delivered", "completed")]
    sold = [order_in(status, me, other, now=began) for status in ("paid", "cancel_requested")]
    disputed = [order_in(status, other, me, now=began) for status in ("issue_open", "return_pending")]
    returned = order_in("returning", me, other, now=began)
    open_issue, *other_issues = [issue_of(order) for order in (*disputed, returned)]
    issues.propose(member_id=other.id, issue_id=open_issue, terms=A_PART, now=timezone.now())
    evidence_id = issues.add_evidence(
        member_id=other.id,
        issue_id=open_issue,
        content=image_bytes(),
        declared_type="image/jpeg",
        file_name="a.jpg",
        now=timezone.now(),
    )
    return {
        "order_id": [order.id for order in (fresh, *bought, *sold, disputed[0])],
        "issue_id": [open_issue, *other_issues],
        "evidence_id": [evidence_id],
    }


def print_world() -> None:
    """For a process of its own (`manage.py shell`): make a world and print who asks, and at what."""
    from django.test.utils import setup_test_environment

    setup_test_environment()  # the sign-in goes through Django's test client
    world = build()
    sys.stdout.write(
        json.dumps({"headers": world.headers, "things": things(world) | orders_of(world)}) + "\n"
    )


class Aim:
    """Sends generated requests to what exists: hardly any random id would ever be one."""

    def __init__(self, targets: dict[str, list[str]]) -> None:
        self._targets = targets

    def at(self, case: schemathesis.Case[Any]) -> None:
        """Name something real in three of four paths, and the current version in half of the changes."""
        draw = zlib.crc32(repr((case.body, case.query, case.headers)).encode(errors="replace"))
        if draw % 4 and not _is_negative(case, "path"):
            for name in case.path_parameters or {}:
                if targets := self._targets.get(name):
                    case.path_parameters[name] = targets[draw // 4 % len(targets)]
        if not _is_negative(case):
            # A cursor is opaque: no sound one can be made up.
            query = case.query or {}
            query.pop("cursor", None)
            # Prices compare within one currency only, which no schema can state.
            if {"price_min", "price_max", "sort"} & set(query):
                query.setdefault("currency", "EUR")
        if draw % 2 and case.method in ("PATCH", "PUT", "DELETE") and not _is_negative(case):
            case.headers["If-Match"] = "*"


def _is_negative(case: Any, location: str = "") -> bool:
    """Whether the request, or that part of it, was made to break the document."""
    if case.meta is None:
        return False
    parts = {part.name.lower(): info.mode for part, info in case.meta.components.items()}
    return any(mode.is_negative for name, mode in parts.items() if name.startswith(location))
