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


class InvalidPeriod(RuleBroken):
    """`errors` names the parameter: in_the_future (it could still change) or ends_before_start."""

    code = "invalid_period"
    title = "The time that was asked for is not possible"


class StatementNotFound(NotFound):
    """Before the first account was opened, or still to come."""

    code = "statement_not_found"
    title = "There is no statement of this month"


class StatementTooLong(RuleBroken):
    """More lines than one document can show; as CSV there is no limit."""

    code = "statement_too_long"
    title = "The statement is too long for this form"


# Ways out


class InvalidBankAccount(RuleBroken):
    """`errors` names each field: unknown_iban_country, invalid_iban_length, invalid_iban_check_digits,
    invalid_iban_account_number, invalid_iban, iban_of_another_country, invalid_holder_name.
    """

    code = "invalid_bank_account"
    title = "The bank account is not acceptable"


class BankAccountNotFound(NotFound):
    code = "bank_account_not_found"
    title = "You have no such bank account"


class BankAccountExists(Conflict):
    code = "bank_account_exists"
    title = "You have this bank account already"


class TooManyBankAccounts(Conflict):
    """Remove one first."""

    code = "too_many_bank_accounts"
    title = "You have as many bank accounts as possible"


class BankAccountInUse(Conflict):
    """A withdrawal to it is still open; cancel it or wait for its end."""

    code = "bank_account_in_use"
    title = "A withdrawal to this bank account is under way"


class BankAccountCoolingDown(Conflict):
    """A new account takes no money at first, so that its owner can object; `until` says how long."""

    code = "bank_account_cooling_down"
    title = "This bank account was added a short while ago"


class BankAccountAbroad(RuleBroken):
    """The member has moved since: add an account of the country and currency of now."""

    code = "bank_account_abroad"
    title = "This bank account is not in your country and currency"


class InvalidIdentity(RuleBroken):
    """`errors` names each field: invalid_legal_name, too_young, implausible_date, invalid_postal_code,
    unknown_country.
    """

    code = "invalid_identity"
    title = "The identity details are not acceptable"


class WithdrawalNotFound(NotFound):
    code = "withdrawal_not_found"
    title = "You have no such withdrawal"


class WithdrawalOutOfRange(RuleBroken):
    """`minimum` and `maximum` say what one withdrawal may be."""

    code = "withdrawal_out_of_range"
    title = "One withdrawal cannot be this amount"


class WithdrawalStatusConflict(Conflict):
    """Not possible in this status; `allowed_actions` says what is."""

    code = "withdrawal_status_conflict"
    title = "The withdrawal is not in a state that allows this"


class WithdrawalTooOldToRepeat(Conflict):
    """The bank may have forgotten the reference and would pay twice: look at its statement instead."""

    code = "withdrawal_too_old_to_repeat"
    title = "It was first sent too long ago to be sent again"


class WithdrawalCaseClosed(Conflict):
    code = "withdrawal_case_closed"
    title = "This case was closed before"


class SandboxPayoutNotFound(NotFound):
    """Not yet sent to the sandbox bank, or none of yours; or the sandbox is off."""

    code = "sandbox_payout_not_found"
    title = "The sandbox bank has no such payout"


class AccountNotFrozen(Conflict):
    code = "account_not_frozen"
    title = "The account is not frozen"


class AccountStillOff(Conflict):
    """The audit froze it, and what it found is still so."""

    code = "account_still_off"
    title = "The account does not add up yet"


# Donations


class CharityNotFound(NotFound):
    code = "charity_not_found"
    title = "There is no such charity"


class CharityNotAvailable(RuleBroken):
    """Closed, or not for your country and currency."""

    code = "charity_not_available"
    title = "This charity takes no donations from you"


class CharityRequired(RuleBroken):
    """Only 0 percent go to nobody."""

    code = "charity_required"
    title = "Name the charity that is given to"


class CharityAccountNotFound(NotFound):
    code = "charity_account_not_found"
    title = "There is no such bank account of a charity"


class CharityAccountDecided(Conflict):
    code = "charity_account_decided"
    title = "Somebody has decided on this bank account already"


class CharityAccountDiffers(RuleBroken):
    """Two persons have two numbers: one of them was misled, or mistyped it."""

    code = "charity_account_differs"
    title = "This is not the IBAN that was proposed"


class CharityWithoutBankAccount(Conflict):
    """A charity is opened only once it can be paid."""

    code = "charity_without_bank_account"
    title = "The charity has no bank account yet"


class DonationNotFound(NotFound):
    code = "donation_not_found"
    title = "You have no such donation"


class DonationOutOfRange(RuleBroken):
    """`minimum` and `maximum` say what one donation may be."""

    code = "donation_out_of_range"
    title = "One donation cannot be this amount"


class DonationSettled(Conflict):
    """The charity is being paid or was: a refund of the sale leaves the donation as it is."""

    code = "donation_settled"
    title = "The donation can no longer be undone"


class DonationSettlementConflict(Conflict):
    """Not possible in this status, or while the bank contradicts itself about it."""

    code = "donation_settlement_conflict"
    title = "The settlement is not in a state that allows this"


class DonationSettlementCaseClosed(Conflict):
    code = "donation_settlement_case_closed"
    title = "This case was closed before"


# What staff puts right


class CorrectionNotFound(NotFound):
    code = "correction_not_found"
    title = "There is no such correction"


class CorrectionNotPossible(RuleBroken):
    """What it names is not there, or belongs to a hold, a withdrawal or to who corrects."""

    code = "correction_not_possible"
    title = "This cannot be corrected so"


class CorrectionDecided(Conflict):
    code = "correction_decided"
    title = "This correction was decided before"


class SecondPersonNeeded(Forbidden):
    """Above the limit nobody approves what they asked for themselves."""

    code = "second_person_needed"
    title = "Somebody else has to approve this"


class SettlementFileInvalid(RuleBroken):
    """`errors` has one entry for each line that is wrong; nothing was imported."""

    code = "settlement_file_invalid"
    title = "The settlement file cannot be imported"


class SettlementCaseNotFound(NotFound):
    code = "settlement_case_not_found"
    title = "There is no such case"


class SettlementCaseEnded(Conflict):
    """Matched or resolved already."""

    code = "settlement_case_ended"
    title = "This case has ended"
