"""The lines of what members hold: given to them, set aside, withdrawn, donated; pure."""

from __future__ import annotations

from balance.chart import AccountKind, of_charity, of_member, of_platform
from balance.events.lines import Line, Share, move, within
from foundation.money import Money

_K = AccountKind


def goodwill_given(member: Share) -> tuple[Line, ...]:
    """A present of the platform."""
    return _borne(_K.GOODWILL, member)


def compensation_paid(member: Share) -> tuple[Line, ...]:
    """For a parcel that the carrier lost."""
    return _borne(_K.COMPENSATION, member)


def debt_written_off(member: Share) -> tuple[Line, ...]:
    """A debt that nobody will pay."""
    return _borne(_K.BAD_DEBTS, member)


def _borne(expense: AccountKind, member: Share) -> tuple[Line, ...]:
    currency = member.amount.currency
    return move(
        of_platform(expense, currency), of_member(member.member_id, _K.AVAILABLE, currency), member.amount
    )


def hold_placed(member: Share) -> tuple[Line, ...]:
    """Set aside for a checkout."""
    return within(member, _K.AVAILABLE, _K.HELD)


def hold_released(member: Share) -> tuple[Line, ...]:
    """The checkout did not happen, or needed less."""
    return within(member, _K.HELD, _K.AVAILABLE)


def withdrawal_requested(member: Share) -> tuple[Line, ...]:
    """On its way to the member's bank; nobody else can take it now."""
    return within(member, _K.AVAILABLE, _K.IN_TRANSIT)


def withdrawal_failed(member: Share) -> tuple[Line, ...]:
    """The bank surely did not pay."""
    return within(member, _K.IN_TRANSIT, _K.AVAILABLE)


def withdrawal_paid(member: Share) -> tuple[Line, ...]:
    """It left our bank account."""
    currency = member.amount.currency
    return move(
        of_member(member.member_id, _K.IN_TRANSIT, currency), of_platform(_K.BANK, currency), member.amount
    )


def withdrawal_returned(member: Share) -> tuple[Line, ...]:
    """It came back after it had been paid."""
    currency = member.amount.currency
    return move(
        of_platform(_K.BANK, currency), of_member(member.member_id, _K.AVAILABLE, currency), member.amount
    )


def donation_given(member: Share, charity_id: str) -> tuple[Line, ...]:
    """A one-off donation."""
    currency = member.amount.currency
    return move(
        of_member(member.member_id, _K.AVAILABLE, currency), of_charity(charity_id, currency), member.amount
    )


def donation_undone(member: Share, charity_id: str) -> tuple[Line, ...]:
    """A donation from a sale that was refunded before the charity was paid."""
    currency = member.amount.currency
    return move(
        of_charity(charity_id, currency), of_member(member.member_id, _K.AVAILABLE, currency), member.amount
    )


def donations_settled(charity_id: str, amount: Money) -> tuple[Line, ...]:
    """The charity was paid."""
    return move(of_charity(charity_id, amount.currency), of_platform(_K.BANK, amount.currency), amount)
