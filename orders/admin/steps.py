"""What support may do to an order: a table of buttons, each with its form and its service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django import forms

from foundation.money import Money, exponent_of
from orders.lifecycle import ORDER, SUPPORT, OrderStatus
from orders.models import Issue, Order
from orders.services import cancelling, issues, supporting
from orders.services.settling import remaining

UNDER_DECISION = (OrderStatus.ISSUE_OPEN, OrderStatus.UNDER_REVIEW)


class ReasonForm(forms.Form):
    """Of an order as it stands."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="Why; kept in the order's history, for staff only.",
    )

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order

    def clean(self) -> dict[str, Any]:
        """An amount is given in the order's currency."""
        data = super().clean() or {}
        if data.get("amount") is not None:
            try:
                data["money"] = _money(data["amount"], self.order.currency)
            except ValueError:
                self.add_error("amount", f"This is no amount in {self.order.currency}.")
        return data


def _amount(**options: Any) -> forms.DecimalField:
    # Twelve digits are more than any order; "1e999999" is a decimal number too.
    return forms.DecimalField(max_digits=12, decimal_places=3, **options)


def _money(amount: Decimal, currency: str) -> Money:
    minor = amount.scaleb(exponent_of(currency))
    if minor != minor.to_integral_value() or minor <= 0:
        raise ValueError(amount)
    return Money(int(minor), currency)


def _left(order: Order) -> str:
    left = remaining(order)
    return f"{Money(left.item, order.currency)} of the items, {Money(left.total, order.currency)} in all"


class PartForm(ReasonForm):
    amount = _amount()
    field_order = ("amount", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].help_text = f"In {self.order.currency}. Left: {_left(self.order)}."


class GoodwillForm(ReasonForm):
    to = forms.ChoiceField(widget=forms.RadioSelect)
    amount = _amount()
    field_order = ("to", "amount", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = self.order
        self.fields["to"] = forms.ChoiceField(
            widget=forms.RadioSelect,
            choices=[(order.buyer_id, "the buyer"), (order.seller_id, "the seller")],
        )
        paid = Money(order.wallet_minor + order.card_minor, order.currency)
        self.fields["amount"].help_text = f"In {order.currency}, into the wallet; at most {paid}."


class RejectForm(ReasonForm):
    is_counterfeit = forms.BooleanField(
        required=False,
        label="Counterfeit",
        help_text="A strike for the seller, and the listing is removed.",
    )
    field_order = ("is_counterfeit", "reason")


class DecisionForm(ReasonForm):
    """What support decides about an issue, or about an order that the buyer's bank has taken back."""

    decision = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[
            ("uphold", "The sale stands: the seller is paid."),
            ("refund", "All of it goes back; nothing is sent back."),
            ("part", "A part of the items' price goes back; the buyer keeps the item."),
            ("return", "The item is sent back, then all of it goes back."),
        ],
    )
    amount = _amount(required=False)
    postage_by = forms.ChoiceField(
        required=False,
        label="Return postage",
        choices=[("", "-"), *Issue.PostageBy.choices],
        help_text="Of a return, and only then.",
    )
    field_order = ("decision", "amount", "postage_by", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Both members are told this: no personal data of the other."
        self.fields["amount"].help_text = f"Of a part, in {self.order.currency}. Left: {_left(self.order)}."

    def clean(self) -> dict[str, Any]:
        """With a part goes an amount, with a return who pays the postage; with others neither."""
        data = super().clean()
        for name, decision in (("amount", "part"), ("postage_by", "return")):
            given = data.get(name) not in (None, "")
            if name not in self.errors and "decision" in data and given != (data["decision"] == decision):
                self.add_error(name, "This is not needed here." if given else "This is needed.")
        if data.get("decision") == "return" and not Issue.objects.filter(order_id=self.order.id).exists():
            self.add_error("decision", "The buyer has reported no issue, on which a return is followed.")
        return data

    def terms(self) -> issues.Terms | None:
        """What the services take; None: the sale stands."""
        data = self.cleaned_data
        if data["decision"] == "uphold":
            return None
        return issues.Terms(data["decision"], data.get("money"), data["postage_by"])


@dataclass(frozen=True, slots=True)
class Step:
    """A button. `act` gets the valid form, and who does it when."""

    title: str
    words: str
    form: type[ReasonForm]
    is_open: Callable[[Order], bool]
    act: Callable[[Any, dict[str, Any]], None]


def _may(verb: str) -> Callable[[Order], bool]:
    return lambda order: verb in ORDER.verbs(order.status, SUPPORT)


def _cancel(form: ReasonForm, by: dict[str, Any]) -> None:
    cancelling.cancel_by_support(order_id=form.order.id, reason=form.cleaned_data["reason"], **by)


def _refund_part(form: ReasonForm, by: dict[str, Any]) -> None:
    data = form.cleaned_data
    supporting.refund_part(order_id=form.order.id, item=data["money"], reason=data["reason"], **by)


def _refund_whole(form: ReasonForm, by: dict[str, Any]) -> None:
    supporting.refund_whole(order_id=form.order.id, reason=form.cleaned_data["reason"], **by)


def _give_goodwill(form: ReasonForm, by: dict[str, Any]) -> None:
    data = form.cleaned_data
    supporting.give_goodwill(
        order_id=form.order.id, member_id=data["to"], amount=data["money"], reason=data["reason"], **by
    )


def _verify(form: ReasonForm, by: dict[str, Any]) -> None:
    supporting.verify_item(order_id=form.order.id, reason=form.cleaned_data["reason"], **by)


def _reject(form: ReasonForm, by: dict[str, Any]) -> None:
    data = form.cleaned_data
    supporting.reject_item(
        order_id=form.order.id, reason=data["reason"], is_counterfeit=data["is_counterfeit"], **by
    )


def _decide(form: DecisionForm, by: dict[str, Any]) -> None:
    reason = form.cleaned_data["reason"]
    issues.decide(order_id=form.order.id, terms=form.terms(), reason=reason, **by)


STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "decide": Step(
            "Decide",
            "Ends what the two could not agree on, and resolves the case. What was proposed is void.",
            DecisionForm,
            lambda order: order.status in UNDER_DECISION,
            _decide,
        ),
        "verify": Step(
            "Item is verified",
            "It is what it was sold as: it goes on to the buyer.",
            ReasonForm,
            _may("verify"),
            _verify,
        ),
        "reject": Step(
            "Reject the item",
            "It is not what it was sold as: the buyer gets everything back, the seller the item.",
            RejectForm,
            _may("reject"),
            _reject,
        ),
        "cancel": Step(
            "Cancel",
            "Everything goes back to the tenders that paid; the listings are on offer again.",
            ReasonForm,
            _may("cancel"),
            _cancel,
        ),
        "refund-part": Step(
            "Refund a part",
            "A part of the items' price goes back, the order goes on. After completion the seller pays it.",
            PartForm,
            lambda order: order.status in supporting.PARTLY and remaining(order).item > 0,
            _refund_part,
        ),
        "refund-whole": Step(
            "Refund what is left",
            "After completion: the seller pays for the items, even into debt; fee and postage are ours.",
            ReasonForm,
            lambda order: order.status == OrderStatus.COMPLETED,
            _refund_whole,
        ),
        "goodwill": Step(
            "Goodwill",
            "A present of ours.",
            GoodwillForm,
            lambda order: order.paid_at is not None,
            _give_goodwill,
        ),
    }
)
