"""What can go wrong with money. Codes are part of the API."""

from __future__ import annotations

from foundation.errors import Conflict, Forbidden, NotFound, RuleBroken


class InsufficientFunds(RuleBroken):
    """The account holds less than is to be taken from it; nothing was moved."""

    code = "insufficient_funds"
    title = "There is not enough money"


class CurrencyMismatch(RuleBroken):
    """The amount is in another currency than the account; nothing is converted silently."""

    code = "currency_mismatch"
    title = "The amount is in another currency"


class InvalidAmount(RuleBroken):
    """Zero, negative, or more than a balance can hold (2**63 - 1 minor units)."""

    code = "invalid_amount"
    title = "The amount is not possible"


class PostingKeyReused(Conflict):
    """The key stands for another posting already: the same business fact was described differently."""

    code = "posting_key_reused"
    title = "This was recorded before, with another content"


class AlreadyReversed(Conflict):
    """A posting is reversed at most once."""

    code = "already_reversed"
    title = "This was undone before"


class PostingNotFound(NotFound):
    code = "posting_not_found"
    title = "There is no such posting"


class HoldNotFound(NotFound):
    code = "hold_not_found"
    title = "There is no such hold"


class HoldNotActive(Conflict):
    """Captured, released or expired already; `extra.status` says which."""

    code = "hold_not_active"
    title = "The money is no longer set aside"


class AccountFrozen(Forbidden):
    """The audit found that the account's sum and its cached balance differ; support is looking."""

    code = "account_frozen"
    title = "The account is being checked"


class TaxInformationRequired(Forbidden):
    """`reason` is the restriction's; it is lifted once the details are given."""

    code = "tax_information_required"
    title = "Tax details are needed first"


class KycRequired(Forbidden):
    """`reason` is the restriction's; it is lifted once the identity is verified."""

    code = "kyc_required"
    title = "Your identity has to be verified first"


class WithdrawalsBlocked(Forbidden):
    """`reason` says why, `until` how long if that is known. Refunds still arrive."""

    code = "withdrawals_blocked"
    title = "Money cannot be withdrawn at the moment"
