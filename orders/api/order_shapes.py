"""What checkouts and orders look like on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.api.pagination import PageQuery
from foundation.api.serializers import (
    MoneySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictRegexField,
    StrictSerializer,
)
from foundation.ids import ID_PATTERN
from orders.api.addresses import AddressSerializer
from orders.api.parcel_shapes import PickupPointSerializer
from orders.api.shapes import MOST_NAMED, ROLES, FeeSerializer
from orders.lifecycle import BUYER, OrderStatus

STATUSES = [status.value for status in OrderStatus]
_ID = rf"^{ID_PATTERN}\Z"


class AddressBodySerializer(StrictSerializer):
    """Where to. Kept encrypted; only carriers and the seller's label show it."""

    name = StrictCharField(max_length=70)
    street = StrictCharField(max_length=100)
    street_2 = StrictCharField(max_length=100, required=False, default="", allow_blank=True)
    postal_code = StrictCharField(max_length=12)
    city = StrictCharField(max_length=60)
    country = StrictRegexField(r"^[A-Z]{2}\Z", help_text="ISO 3166-1 alpha-2; your market's.")
    phone = StrictRegexField(
        r"^\+[0-9]{6,15}\Z", required=False, help_text="E.164; some carriers announce by it."
    )


class SenderAddressSerializer(serializers.Serializer[Any]):
    """Where you send from; null before you said so."""

    address = AddressSerializer(allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class DeliveryBodySerializer(StrictSerializer):
    """One of `shipping_options`, and where to."""

    option = StrictRegexField(r"^[a-z0-9_.-]{1,40}\Z")
    address = AddressBodySerializer()
    pickup_point_id = StrictRegexField(
        r"^[\x21-\x7e]{1,60}\Z",
        required=False,
        help_text="For kind `pickup_point`; see /pickup-points.",
    )


class ChoicesSerializer(StrictSerializer):
    """What you choose; what is left out has its default."""

    delivery = DeliveryBodySerializer(required=False)
    use_wallet = StrictBooleanField(default=True, help_text="The balance first, the card for the rest.")
    verification = StrictBooleanField(
        default=False, help_text="Have the item looked at first, for a fee; for more expensive items."
    )


class NewCheckoutSerializer(ChoicesSerializer):
    """One listing, or several of one seller for one parcel."""

    listing_ids = serializers.ListField(child=StrictRegexField(_ID), min_length=1, max_length=MOST_NAMED)


class PayBodySerializer(StrictSerializer):
    """Pay the quote that you have seen."""

    quote_version = StrictIntegerField(min_value=1)
    payment_method = StrictRegexField(
        r"^[A-Za-z0-9_.-]{1,100}\Z",
        required=False,
        help_text="The provider's token; not if the wallet pays.",
    )
    return_url = StrictRegexField(
        r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?([/?#][\x21-\x7e]{0,200})?\Z",
        required=False,
        help_text="Where a 3-D Secure step comes back to.",
    )


class OrdersQuery(PageQuery):
    """Query parameters of your orders."""

    role = serializers.ChoiceField(choices=ROLES, default=BUYER, help_text="`buyer`: bought; `seller`: sold.")
    status = serializers.ChoiceField(
        choices=STATUSES, required=False, help_text="Without it all but checkouts that are not paid."
    )


class OrderEventsQuery(PageQuery):
    """Query parameters of an order's history."""


class OrderItemSerializer(serializers.Serializer[Any]):
    listing_id = serializers.CharField()
    title = serializers.CharField(help_text="Of the listing when it was bought.")
    listed = MoneySerializer()
    price = MoneySerializer(help_text="After the discount.")


class OrderMoneySerializer(serializers.Serializer[Any]):
    """The quote: items, fee, postage and verification are the total; wallet and card pay it."""

    items_listed = MoneySerializer(help_text="Before the discount, or the agreed price.")
    items_total = MoneySerializer()
    fee = FeeSerializer()
    shipping = MoneySerializer()
    verification = MoneySerializer(help_text="VAT inside; zero: not asked for.")
    total = MoneySerializer()
    wallet = MoneySerializer(help_text="Paid out of the buyer's balance.")
    card = MoneySerializer(help_text="Paid through the payment provider.")
    refunded = MoneySerializer(help_text="Has gone back to wallet and card.")
    refunded_items = MoneySerializer(help_text="The part of it that was the items'.")
    refunded_wallet = MoneySerializer()
    refunded_card = MoneySerializer()
    seller_gets = MoneySerializer(help_text="Of the items, what has not gone back.")


class OrderDeadlinesSerializer(serializers.Serializer[Any]):
    """Null where nothing is awaited. What passes without an act happens by itself."""

    pay_by = serializers.DateTimeField(allow_null=True)
    cancel_alone_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the buyer cancels alone, later the seller is asked."
    )
    answer_cancellation_by = serializers.DateTimeField(allow_null=True, help_text="Then silence is consent.")
    ship_by = serializers.DateTimeField(allow_null=True, help_text="Then it is cancelled.")
    presumed_delivered_at = serializers.DateTimeField(allow_null=True, help_text="If nothing is heard.")
    report_issue_until = serializers.DateTimeField(allow_null=True)
    completes_at = serializers.DateTimeField(allow_null=True, help_text="Then the seller is paid.")
    agree_by = serializers.DateTimeField(allow_null=True, help_text="Then support decides.")
    send_back_by = serializers.DateTimeField(allow_null=True, help_text="Then the seller is paid.")


class DeliverySerializer(serializers.Serializer[Any]):
    """How it is delivered, as it was chosen."""

    option = serializers.CharField()
    carrier = serializers.CharField()
    kind = serializers.CharField(help_text="`home` or `pickup_point`.")
    days = serializers.IntegerField(help_text="What the carrier says it takes.")
    pickup_point = PickupPointSerializer(allow_null=True)


class ParcelNewsSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    occurred_at = serializers.DateTimeField()


class ParcelSerializer(serializers.Serializer[Any]):
    """A parcel of the order, with the carrier's news."""

    id = serializers.CharField()
    leg = serializers.CharField(help_text="`outbound`, `to_hub`, `from_hub` or `return`.")
    carrier = serializers.CharField()
    status = serializers.CharField()
    waits_for = serializers.CharField(
        allow_null=True, help_text="`sender_address`: the label follows the seller's PUT /me/sender-address."
    )
    tracking_number = serializers.CharField()
    tracking_url = serializers.CharField()
    events = ParcelNewsSerializer(many=True)


class PaymentSerializer(serializers.Serializer[Any]):
    """The latest attempt to pay by card."""

    id = serializers.CharField()
    status = serializers.CharField()
    amount = MoneySerializer()
    action_url = serializers.CharField(allow_null=True, help_text="Where to pass a 3-D Secure step.")
    failure_code = serializers.CharField(allow_null=True)


class OrderCardSerializer(serializers.Serializer[Any]):
    """An order in a list."""

    id = serializers.CharField()
    role = serializers.ChoiceField(choices=ROLES, help_text="Which of the two you are.")
    status = serializers.ChoiceField(choices=STATUSES)
    seller_id = serializers.CharField()
    buyer_id = serializers.CharField()
    offer_id = serializers.CharField(allow_null=True, help_text="Whose agreed price it has.")
    items = OrderItemSerializer(many=True)
    money = OrderMoneySerializer()
    deadlines = OrderDeadlinesSerializer()
    allowed_actions = serializers.ListField(
        child=serializers.CharField(),
        help_text="What you may do now: `change`, `pay`, `abandon`; `cancel`, `refuse_cancellation`, `ship`, "
        "`confirm`, `report_issue`; `review` (in a single order). What an issue allows is said there.",
    )
    is_verified = serializers.BooleanField(help_text="The item is looked at first.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    handed_over_at = serializers.DateTimeField(allow_null=True)
    shipped_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class OrderEventSerializer(serializers.Serializer[Any]):
    verb = serializers.CharField()
    status_before = serializers.CharField(help_text="Empty at first.")
    status = serializers.CharField(help_text="Status after.")
    actor = serializers.CharField(help_text="buyer, seller, carrier, provider, support or clock.")
    amount = MoneySerializer(allow_null=True)
    happened_at = serializers.DateTimeField()


class OrderSerializer(OrderCardSerializer):
    """An order of yours."""

    delivery = DeliverySerializer(allow_null=True)
    parcels = ParcelSerializer(many=True)
    payment = PaymentSerializer(allow_null=True, help_text="For the buyer only.")
    issue_id = serializers.CharField(allow_null=True, help_text="See /issues/{id}.")
    events = OrderEventSerializer(many=True, help_text="The latest 50, the first one first.")


class ShippingOptionSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    carrier = serializers.CharField()
    kind = serializers.CharField(help_text="`home` or `pickup_point`.")
    days = serializers.IntegerField()
    price = MoneySerializer()


class VerificationOfferSerializer(serializers.Serializer[Any]):
    fee = MoneySerializer()
    minimum = MoneySerializer(help_text="Price of the items from which on it can be asked for.")
    is_offered = serializers.BooleanField()


class CheckoutSerializer(OrderSerializer):
    """An order that is not paid yet, with what can be chosen."""

    quote_version = serializers.IntegerField(help_text="Name it to pay exactly this quote.")
    uses_wallet = serializers.BooleanField()
    shipping_options = ShippingOptionSerializer(many=True, help_text="The cheapest first.")
    verification_offer = VerificationOfferSerializer()
