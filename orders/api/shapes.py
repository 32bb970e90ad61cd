"""What offers and bundles look like on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.api.pagination import PageQuery
from foundation.api.serializers import (
    MoneySerializer,
    StrictIntegerField,
    StrictSerializer,
)
from foundation.ids import ID_PATTERN
from orders.lifecycle import BUYER, SELLER, OfferStatus
from orders.models.bundles import PERCENT_MAX

STATUSES = [status.value for status in OfferStatus]
ROLES = (BUYER, SELLER)
_ID = rf"^{ID_PATTERN}\Z"
MOST_NAMED = 100  # of what a request may name; how many make a bundle is the market's


class NewOfferSerializer(StrictSerializer):
    """What you would pay for the item, without fee and postage."""

    amount = MoneySerializer()


class CounterOfferSerializer(StrictSerializer):
    """What you would sell it for: more than the offer, at most the listing's price."""

    amount = MoneySerializer()


class ListingOffersQuery(PageQuery):
    """Query parameters of the offers on a listing."""


class OffersQuery(PageQuery):
    """Query parameters of your offers."""

    role = serializers.ChoiceField(
        choices=ROLES, default=BUYER, help_text="`buyer`: what you offered; `seller`: what you were offered."
    )
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    listing_id = serializers.RegexField(_ID, required=False)


class OfferDeadlinesSerializer(serializers.Serializer[Any]):
    answer_by = serializers.DateTimeField(allow_null=True, help_text="When it expires without an answer.")
    buy_by = serializers.DateTimeField(allow_null=True, help_text="How long the agreed price holds.")


class OfferSerializer(serializers.Serializer[Any]):
    """An offer that you made or got."""

    id = serializers.CharField()
    listing_id = serializers.CharField()
    title = serializers.CharField(help_text="Of the listing when the offer was made.")
    seller_id = serializers.CharField()
    buyer_id = serializers.CharField()
    role = serializers.ChoiceField(choices=ROLES, help_text="Which of the two you are.")
    number = serializers.IntegerField(help_text="Of this buyer's offers on the listing, from 1.")
    status = serializers.ChoiceField(choices=STATUSES)
    offered = MoneySerializer(help_text="What the buyer named.")
    amount = MoneySerializer(help_text="What is on the table: the offer, or what countered it.")
    listed = MoneySerializer(help_text="What the listing cost then.")
    allowed_actions = serializers.ListField(
        child=serializers.CharField(), help_text="What you may do now: `accept`, `decline`, `counter`."
    )
    deadlines = OfferDeadlinesSerializer()
    proposed_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class OfferEventSerializer(serializers.Serializer[Any]):
    verb = serializers.CharField()
    actor = serializers.CharField(help_text="`buyer`, `seller` or `clock`.")
    amount = MoneySerializer(help_text="What was on the table afterwards.")
    happened_at = serializers.DateTimeField()


class OfferDetailSerializer(OfferSerializer):
    """An offer with its history."""

    events = OfferEventSerializer(many=True)


class DiscountStepSerializer(StrictSerializer):
    """From so many items on, so many per cent off all of them."""

    items = StrictIntegerField(min_value=2, max_value=MOST_NAMED)
    percent = StrictIntegerField(min_value=1, max_value=PERCENT_MAX)


class BundleDiscountsBodySerializer(StrictSerializer):
    """Your ladder: more items, more discount. No steps: no discount."""

    steps = DiscountStepSerializer(many=True)


class BundleDiscountsSerializer(serializers.Serializer[Any]):
    """Your discounts for several items bought together."""

    steps = DiscountStepSerializer(many=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class BundleBodySerializer(StrictSerializer):
    """Listings of one seller, in your order."""

    listing_ids = serializers.ListField(
        child=serializers.RegexField(_ID), min_length=1, max_length=MOST_NAMED
    )


class BundleItemSerializer(serializers.Serializer[Any]):
    listing_id = serializers.CharField()
    title = serializers.CharField()
    is_available = serializers.BooleanField(help_text="What is not has no price and counts for nothing.")
    price = MoneySerializer(allow_null=True)
    price_after_discount = MoneySerializer(allow_null=True)


class FeeSerializer(serializers.Serializer[Any]):
    """The buyer protection fee: net and VAT add up to the total."""

    total = MoneySerializer()
    net = MoneySerializer()
    vat = MoneySerializer()


class BundlePriceSerializer(serializers.Serializer[Any]):
    """What the available items cost together; postage comes on top at checkout."""

    before_discount = MoneySerializer()
    discount_percent = serializers.IntegerField()
    discount = MoneySerializer()
    items_total = MoneySerializer()
    fee = FeeSerializer()
    total = MoneySerializer(help_text="Items and fee, without postage.")


class BundleSerializer(serializers.Serializer[Any]):
    """A bundle of yours with its price at the moment; a preview that holds nothing."""

    id = serializers.CharField()
    seller_id = serializers.CharField()
    items = BundleItemSerializer(many=True)
    discounts = DiscountStepSerializer(many=True, help_text="The seller's ladder.")
    price = BundlePriceSerializer(allow_null=True, help_text="Null while nothing in it is on offer.")
    ship_by = serializers.DateTimeField(
        allow_null=True, help_text="When the seller would have to hand the parcel over if you paid now."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class BundleCardSerializer(serializers.Serializer[Any]):
    """A bundle in a list."""

    id = serializers.CharField()
    seller_id = serializers.CharField()
    listing_ids = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
