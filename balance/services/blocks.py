"""Who may take money out. Restrictions are kept in members and set from above; here they get their errors.

Money that comes back to a member is never refused: refunds, releases and returns ask nothing of this.
"""

from __future__ import annotations

from datetime import datetime

from balance.chart import MEMBER_KINDS, of_member
from balance.errors import AccountFrozen, KycRequired, TaxInformationRequired, WithdrawalsBlocked
from balance.models import LedgerAccount
from foundation.errors import Forbidden
from members.queries import RestrictionFacts, find_restriction, list_restrictions, require_unrestricted

# Reasons of restrictions that the member can do something about, as the codes of the errors that say what.
_ERRORS: dict[str, type[Forbidden]] = {
    "tax_details_missing": TaxInformationRequired,
    "tax_information_required": TaxInformationRequired,
    "identity_required": KycRequired,
    "kyc_required": KycRequired,
}

SPENDING, WITHDRAWING = "buy", "withdraw"


def list_blocks(*, member_id: str, now: datetime) -> list[RestrictionFacts]:
    """What the member may not do with money at the moment, the oldest first."""
    standing = list_restrictions(member_id, now=now)
    return [one for one in standing if one.capability in (SPENDING, WITHDRAWING)]


def require_may_withdraw(*, member_id: str, currency: str, now: datetime) -> None:
    """Raises TaxInformationRequired, KycRequired, or WithdrawalsBlocked with the reason; AccountFrozen."""
    restriction = find_restriction(member_id=member_id, capability=WITHDRAWING, now=now)
    if restriction is not None:
        error = _ERRORS.get(restriction.reason, WithdrawalsBlocked)
        until = {} if restriction.until_at is None else {"until": restriction.until_at}
        raise error(extra={"reason": restriction.reason, **until})
    _require_not_frozen(member_id, currency)


def require_may_spend(*, member_id: str, currency: str, now: datetime) -> None:
    """Spending is buying. Raises MemberRestricted (capability ``buy``) and AccountFrozen."""
    require_unrestricted(member_id=member_id, capability=SPENDING, now=now)
    _require_not_frozen(member_id, currency)


def _require_not_frozen(member_id: str, currency: str) -> None:
    # Any of them: what is wrong in one soon goes to another.
    ids = [of_member(member_id, kind, currency).id for kind in MEMBER_KINDS]
    if LedgerAccount.objects.filter(id__in=ids, frozen_at__isnull=False).exists():
        raise AccountFrozen
