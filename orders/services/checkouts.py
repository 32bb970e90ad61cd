"""A checkout: an order that is not paid yet. It holds the listings and a frozen quote for a while."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from django.db import IntegrityError

from balance.queries.balances import get_balances
from balance.services.holds import place_hold
from foundation.compiled import CompiledQuery, args, insert_rows, named
from foundation.db import atomic_retry
from foundation.errors import DomainError, FieldProblem
from foundation.ids import new_id
from foundation.money import Money
from listings.services import SaleFacts, lock_for_sale
from members.queries import require_unrestricted
from orders import metrics
from orders.errors import (
    CheckoutStale,
    InvalidBundle,
    InvalidDelivery,
    InvalidTransition,
    ListingNotAvailable,
    OrderNotFound,
    PaymentInProgress,
    VerificationNotOffered,
)
from orders.lifecycle import BUYER, ORDER, OrderStatus
from orders.models import Order, OrderItem
from orders.order_timers import due_after
from orders.parcel_sizes import size_of_parcel
from orders.pricing import Price, fee_of, percent_off, price_of
from orders.providers.carriers.contract import Address, PickupPoint
from orders.queries.availability import require_may_trade
from orders.queries.bundles import get_ladder
from orders.queries.offers import find_agreed_price
from orders.queries.payments import has_open_payment
from orders.queries.shipping import Option, options_for
from orders.queries.terms import get_fee_rule, get_terms
from orders.services.order_moves import lock_order, move, record, row_of, touch
from orders.services.paying import stop_payments
from orders.services.settling import hold_key, reference_of, release_wallet

logger = structlog.get_logger(__name__)

HOLD_OUTLIVES = timedelta(days=1)
"""How long after the checkout the wallet's hold would end by itself: the checkout's own clock is first."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the buyer wants it: an option by its code, and where to."""

    option: str
    address: Address
    pickup_point: PickupPoint | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the buyer chooses at checkout. None as delivery: not chosen yet."""

    delivery: Delivery | None = None
    use_wallet: bool = True
    verification: bool = False


def create_checkout(*, buyer_id: str, listing_ids: Sequence[str], choices: Choices, now: datetime) -> str:
    """Hold the listings, which are of one seller, and freeze their price; the id of the checkout.

    An agreed offer on a listing that is bought alone is used by itself. A checkout of this buyer that holds
    one of them is given up for the new one. Raises InvalidBundle (every problem of several listings),
    OwnListing, ListingNotAvailable, MemberRestricted, PaymentInProgress, InvalidDelivery,
    VerificationNotOffered, TermsMissing.
    """
    try:
        return _create(buyer_id=buyer_id, listing_ids=listing_ids, choices=choices, now=now)
    except DomainError as refused:
        metrics.ORDERS_REFUSED.labels(refused.code).inc()
        raise


@atomic_retry
def _create(*, buyer_id: str, listing_ids: Sequence[str], choices: Choices, now: datetime) -> str:
    require_unrestricted(member_id=buyer_id, capability="buy", now=now)
    items = _lock_items(listing_ids)
    seller_id, country = items[0].seller_id, items[0].country
    buyer = require_may_trade(seller_id=seller_id, buyer_id=buyer_id, now=now)
    _make_room(buyer_id, listing_ids, now=now)
    terms = get_terms(country, currency=items[0].price.currency, now=now)
    agreed = find_agreed_price(items[0].id, buyer_id=buyer_id, now=now) if len(items) == 1 else None
    rule = get_fee_rule(listing_terms=terms, buyer_country=buyer.country, now=now)
    size = _size_of(items, most=terms.bundle_items_max)
    steps = get_ladder(seller_id).steps if len(items) > 1 else ()
    prices = [item.price for item in items]
    if agreed is not None:
        price = price_of([agreed.amount], percent=0, rule=rule)
    else:
        price = price_of(prices, percent=percent_off(steps, len(items)), rule=rule)
    timers = asdict(terms.timers)
    order = Order(
        id=new_id(),
        seller_id=seller_id,
        buyer_id=buyer_id,
        status=OrderStatus.PENDING_PAYMENT.value,
        offer_id=agreed.offer_id if agreed else None,
        seller_country=country,
        buyer_country=buyer.country,
        currency=price.items_total.currency,
        terms={
            **timers,
            "vat_rate_bp": rule.vat_rate_bp,
            "verification_fee_minor": terms.verification_fee.amount_minor,
            "verification_from_minor": terms.verification_from.amount_minor,
        },
        listed_minor=sum(item.amount_minor for item in prices),
        item_minor=price.items_total.amount_minor,
        fee_minor=price.fee.total.amount_minor,
        fee_vat_minor=price.fee.vat.amount_minor,
        parcel_size=size,
        created_at=now,
        updated_at=now,
    )
    order.due_at = due_after(order.status, timers=timers, now=now, ship_by_at=None)
    _apply(order, choices, now=now)
    insert_rows([order])
    _hold_listings(order, items, price)
    _hold_wallet(order, now=now)
    record([order], "checkout", "", BUYER, now=now, actor_id=buyer_id)
    return str(order.id)


@atomic_retry
def change_checkout(
    *, buyer_id: str, order_id: str, choices: Choices, expected_version: int, now: datetime
) -> None:
    """Choose otherwise; what was chosen before is replaced. The listings' price stays what it was.

    Raises OrderNotFound, CheckoutStale, InvalidTransition, PaymentInProgress, InvalidDelivery,
    VerificationNotOffered, InsufficientFunds.
    """
    order = lock_checkout(order_id, buyer_id)
    if order.version != expected_version:
        raise CheckoutStale("Read it again, apply your change to what it is now, and retry.")
    require_open(order, now=now)
    if has_open_payment(order.id):
        raise PaymentInProgress
    release_wallet(order, now=now)
    order.quote_version += 1
    _apply(order, choices, now=now)
    touch(order, now=now)
    _hold_wallet(order, now=now)


@atomic_retry
def abandon_checkout(*, buyer_id: str, order_id: str, now: datetime) -> None:
    """Give it up: listings and wallet are free at once. Raises OrderNotFound, InvalidTransition,
    PaymentInProgress.
    """
    order = lock_checkout(order_id, buyer_id)
    row_of(order, "abandon", BUYER)
    if has_open_payment(order.id):
        raise PaymentInProgress
    _abandon(order, buyer_id, now=now)


def lock_checkout(order_id: str, buyer_id: str) -> Order:
    """A buyer's order, locked until the transaction ends. Raises OrderNotFound."""
    order = lock_order(order_id)
    if order.buyer_id != buyer_id:
        raise OrderNotFound
    return order


def require_open(order: Order, *, now: datetime) -> None:
    """That a checkout waits for its buyer. Raises InvalidTransition when it was paid, or its time is over."""
    row_of(order, "abandon", BUYER)
    if order.due_at is not None and order.due_at <= now:
        raise InvalidTransition("The checkout's time is over.", extra={"allowed_actions": []})


def _abandon(order: Order, buyer_id: str, *, now: datetime) -> None:
    release_wallet(order, now=now)
    move(order, row_of(order, "abandon", BUYER), now=now, actor_id=buyer_id)
    stop_payments(order_id=order.id, now=now)


def _lock_items(listing_ids: Sequence[str]) -> list[SaleFacts]:
    """The listings in their order, locked. Raises ListingNotAvailable for one, InvalidBundle for several."""
    found = lock_for_sale(listing_ids)
    if len(listing_ids) == 1 and not found:
        raise ListingNotAvailable
    items: list[SaleFacts] = []
    faults: dict[int, tuple[str, str]] = {}
    for i, listing_id in enumerate(listing_ids):
        item = found.get(listing_id)
        if item is None:
            faults[i] = ("listing_not_available", "It is not on offer.")
        elif item in items:
            faults[i] = ("repeated", "Name it once.")
        elif items and item.seller_id != items[0].seller_id:
            faults[i] = ("another_seller", "One order is of one seller.")
        elif items and item.price.currency != items[0].price.currency:
            faults[i] = ("another_currency", "One order is in one currency.")
        else:
            items.append(item)
    if faults:
        raise InvalidBundle(errors=[FieldProblem(f"/listing_ids/{i}", *fault) for i, fault in faults.items()])
    return items


def _size_of(items: Sequence[SaleFacts], *, most: int) -> str:
    """The parcel that takes them all. Raises InvalidBundle when there are too many, or too much."""
    size = size_of_parcel([item.parcel_size for item in items])
    if size is None or len(items) > most:
        fault = (
            ("too_many_items", f"At most {most}.") if size else ("too_large", "No parcel holds all of it.")
        )
        raise InvalidBundle(errors=[FieldProblem("/listing_ids", *fault)])
    return size


@lru_cache(maxsize=128)
def _holding(listings: int) -> CompiledQuery[str]:
    return CompiledQuery(
        lambda: (
            OrderItem.objects.filter(listing_id__in=args("listing_id", listings), is_live=True)
            .order_by()
            .values_list("order_id", flat=True)
        )
    )


def _make_room(buyer_id: str, listing_ids: Sequence[str], *, now: datetime) -> None:
    """End what holds the listings without need: this buyer's other checkouts, and overdue ones of others."""
    for order_id in sorted(set(_holding(len(listing_ids)).all(**named("listing_id", listing_ids)))):
        order = lock_order(order_id)
        if order.status != OrderStatus.PENDING_PAYMENT:
            continue
        if has_open_payment(order.id):
            if order.buyer_id == buyer_id:
                raise PaymentInProgress(extra={"checkout_id": order.id})
        elif order.buyer_id == buyer_id:
            _abandon(order, buyer_id, now=now)
        elif order.due_at is not None and order.due_at <= now and (row := ORDER.clock_row(order.status)):
            release_wallet(order, now=now)
            move(order, row, now=now)
            stop_payments(order_id=order.id, now=now)


def _apply(order: Order, choices: Choices, *, now: datetime) -> None:
    """Write the choices and the amounts that follow from them on the order."""
    _apply_verification(order, choices.verification)
    _apply_delivery(order, choices.delivery, now=now)
    total = order.item_minor + order.fee_minor + order.shipping_minor + order.verification_minor
    available = 0
    order.use_wallet = choices.use_wallet
    if choices.use_wallet:
        available = max(0, get_balances(order.buyer_id, order.currency).available.amount_minor)
    order.wallet_minor = min(available, total)
    order.card_minor = total - order.wallet_minor


def _apply_verification(order: Order, wanted: bool) -> None:
    order.is_verified = wanted
    order.verification_minor = order.verification_vat_minor = 0
    if not wanted:
        return
    minimum = Money(order.terms["verification_from_minor"], order.currency)
    if order.item_minor < minimum.amount_minor:
        raise VerificationNotOffered(f"From {minimum} on.", extra={"minimum": minimum.as_json()})
    price = Money(order.terms["verification_fee_minor"], order.currency)
    fee = fee_of(price, order.terms["vat_rate_bp"])
    order.verification_minor = fee.total.amount_minor
    order.verification_vat_minor = fee.vat.amount_minor


def _apply_delivery(order: Order, delivery: Delivery | None, *, now: datetime) -> None:
    order.shipping_option, order.shipping_minor, order.delivery, order.address = "", 0, {}, None
    if delivery is None:
        return
    option = _chosen(order, delivery, now=now)
    order.shipping_option = option.code
    order.shipping_minor = option.price.amount_minor
    order.delivery = {
        "provider": option.provider,
        "carrier": option.carrier,
        "service": option.service,
        "kind": option.kind,
        "size": option.size,
        "days": option.days,
        "pickup_point": asdict(delivery.pickup_point) if delivery.pickup_point else None,
    }
    order.address = json.dumps(asdict(delivery.address))


def _chosen(order: Order, delivery: Delivery, *, now: datetime) -> Option:
    options = {
        option.code: option
        for option in options_for(
            from_country=order.seller_country,
            to_country=order.buyer_country,
            size=order.parcel_size,
            currency=order.currency,
            at=now,
        )
    }
    option = options.get(delivery.option)
    problems = []
    if option is None:
        problems.append(FieldProblem("/delivery/option", "unknown_option", f"One of {', '.join(options)}."))
    elif option.kind == "pickup_point" and delivery.pickup_point is None:
        problems.append(FieldProblem("/delivery/pickup_point_id", "pickup_point_missing", "Name one."))
    if delivery.address.country != order.buyer_country:
        problems.append(
            FieldProblem("/delivery/address/country", "wrong_country", f"Only to {order.buyer_country}.")
        )
    if problems or option is None:
        raise InvalidDelivery(errors=problems)
    return option


def _hold_listings(order: Order, items: Sequence[SaleFacts], price: Price) -> None:
    rows = [
        OrderItem(
            order_id=order.id,
            listing_id=item.id,
            position=position,
            title=item.title,
            listing_version=item.version,
            listed_minor=item.price.amount_minor,
            price_minor=discounted.amount_minor,
        )
        for position, (item, discounted) in enumerate(zip(items, price.items, strict=True))
    ]
    try:
        insert_rows(rows)
    except IntegrityError:
        # Somebody else's checkout or order has one of them.
        raise ListingNotAvailable from None


def _hold_wallet(order: Order, *, now: datetime) -> None:
    if order.wallet_minor and order.due_at is not None:
        place_hold(
            key=hold_key(order),
            member_id=order.buyer_id,
            amount=Money(order.wallet_minor, order.currency),
            reference=reference_of(order.id),
            now=now,
            expires_at=order.due_at + HOLD_OUTLIVES,
        )
