"""What members give: of each sale, or at once. What orders ask for is at the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import IntegrityError, connection, transaction

from balance import events, metrics
from balance.chart import Event
from balance.donation_shares import share_of
from balance.errors import (
    CharityNotAvailable,
    CharityNotFound,
    CharityRequired,
    CurrencyMismatch,
    DonationOutOfRange,
    DonationSettled,
    InvalidAmount,
)
from balance.events import NewPosting, Share
from balance.lifecycle import CALLER, DONATION, DonationStatus
from balance.models import Donation, DonationSetting
from balance.queries.balances import get_balances
from balance.queries.donations import (
    DonationFacts,
    SettingFacts,
    find_setting,
    get_charity,
    get_donation,
)
from balance.services.blocks import require_may_withdraw
from balance.services.posting import post
from balance.withdrawal_limits import default_limits
from foundation.db import atomic_retry
from foundation.errors import Forbidden, PreconditionFailed
from foundation.ids import new_id
from foundation.lifecycle import UnknownTransition
from foundation.money import Money
from members.queries import MemberFacts, get_member_facts

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SaleDonation:
    """What a sale gives to a charity: goes to ``events.sale_completed`` and ``record_sale_donation``."""

    charity_id: str
    amount: Money


@atomic_retry
def set_donation_setting(
    *, member_id: str, percent: int, charity_id: str | None, expected_version: int, now: datetime
) -> SettingFacts:
    """From now on this part of each completed sale goes to the charity; the former versions are kept.

    Raises CharityRequired, CharityNotFound, CharityNotAvailable, PreconditionFailed.
    """
    if percent and charity_id is None:
        raise CharityRequired
    if charity_id is not None:
        _require_takes_from(charity_id, get_member_facts(member_id))
    known = find_setting(member_id)
    if (0 if known is None else known.version) != expected_version:
        raise PreconditionFailed
    try:
        with transaction.atomic():
            DonationSetting.objects.create(
                member_id=member_id,
                version=expected_version + 1,
                percent=percent,
                charity_id=charity_id,
                set_at=now,
            )
    except IntegrityError:  # another request was faster
        raise PreconditionFailed from None
    logger.info("donation_setting_changed", member_id=member_id, percent=percent, charity_id=charity_id)
    return SettingFacts(percent, charity_id, expected_version + 1, now)


@atomic_retry
def give_donation(*, member_id: str, charity_id: str, amount: Money, now: datetime) -> DonationFacts:
    """Give from what is available. Money leaves the platform, so what blocks withdrawals blocks this too.

    Raises TaxInformationRequired, KycRequired, WithdrawalsBlocked, AccountFrozen, InvalidAmount,
    CurrencyMismatch, DonationOutOfRange, CharityNotFound, CharityNotAvailable, InsufficientFunds.
    """
    member = get_member_facts(member_id)
    require_may_withdraw(member_id=member_id, currency=member.currency, now=now)
    _check_amount(amount, member)
    _require_takes_from(charity_id, member)
    donation_id = new_id()
    post(
        NewPosting(
            key=f"donation:{donation_id}:given",
            event=Event.DONATION_GIVEN,
            lines=events.donation_given(Share(member_id, amount), charity_id),
            reference=f"donation:{donation_id}",
            actor=f"member:{member_id}",
        ),
        now=now,
    )
    _record(donation_id, member_id, SaleDonation(charity_id, amount), sale=None, now=now)
    return get_donation(member_id, donation_id)


def _check_amount(amount: Money, member: MemberFacts) -> None:
    if amount.amount_minor <= 0:
        raise InvalidAmount(f"{amount} is no amount to give.")
    if amount.currency != member.currency:
        raise CurrencyMismatch(f"Your balance is in {member.currency}.")
    limits = default_limits(amount.currency)
    if not limits.minimum <= amount <= limits.maximum:
        raise DonationOutOfRange(
            f"From {limits.minimum} to {limits.maximum}.",
            extra={"minimum": limits.minimum.as_json(), "maximum": limits.maximum.as_json()},
        )


def _require_takes_from(charity_id: str, member: MemberFacts) -> None:
    if not get_charity(charity_id).takes_from(member):
        raise CharityNotAvailable


def _record(
    donation_id: str, member_id: str, given: SaleDonation, *, sale: str | None, now: datetime
) -> None:
    kind = Donation.Kind.ONE_OFF if sale is None else Donation.Kind.SALE
    Donation.objects.create(
        id=donation_id,
        member_id=member_id,
        charity_id=given.charity_id,
        kind=kind,
        amount_minor=given.amount.amount_minor,
        currency=given.amount.currency,
        status=DonationStatus.GIVEN,
        sale=sale,
        given_at=now,
    )
    transaction.on_commit(metrics.DONATIONS.labels(kind.value, "give").inc)
    logger.info("donation_given", donation_id=donation_id, charity_id=given.charity_id, kind=kind.value)


# For orders


def plan_sale_donation(*, member_id: str, item: Money, now: datetime) -> SaleDonation | None:
    """What the seller's setting gives of a sale that completes now; ``item`` is what the seller gets.

    None without a setting, when the share is less than half a minor unit, when the charity closed or the
    seller moved to another market, and while the seller is in debt or must not take money out.
    """
    setting = find_setting(member_id)
    if setting is None or setting.percent == 0 or setting.charity_id is None:
        return None
    member, amount = get_member_facts(member_id), share_of(item, setting.percent)
    if amount.amount_minor == 0 or item.currency != member.currency:
        return None
    try:
        _require_takes_from(setting.charity_id, member)
        require_may_withdraw(member_id=member_id, currency=item.currency, now=now)
    except (CharityNotAvailable, CharityNotFound, Forbidden):
        return None
    if get_balances(member_id, item.currency).available.amount_minor < 0:
        return None
    return SaleDonation(setting.charity_id, amount)


def record_sale_donation(*, member_id: str, given: SaleDonation, sale: str, now: datetime) -> str:
    """Write down what the posting of ``events.sale_completed`` gave, in its transaction; the donation's id.

    ``sale`` is the reference of the sale (``order:01J…``); a second time changes nothing. The money is not
    moved here. RuntimeError outside of a transaction: the row and the posting stand or fall together.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a donation is recorded in the transaction of its posting")
    known = Donation.objects.filter(sale=sale).values_list("id", flat=True).first()
    if known is not None:
        return known
    donation_id = new_id()
    _record(donation_id, member_id, given, sale=sale, now=now)
    return donation_id


@atomic_retry
def undo_sale_donation(*, sale: str, actor: str, reason: str, now: datetime) -> Money | None:
    """Give the donation of a sale that is refunded back to the seller, before the refund is posted.

    The amount; None when the sale gave nothing or it was undone before. Raises DonationSettled once it is
    part of a payment to the charity: then the refund takes it from the seller's own money. ``actor`` as in
    postings.
    """
    donation = Donation.objects.select_for_update().filter(sale=sale).first()
    if donation is None or donation.status == DonationStatus.UNDONE:
        return None
    try:
        row = DONATION.row(donation.status, "undo", CALLER)
    except UnknownTransition:
        raise DonationSettled from None
    amount = Money(donation.amount_minor, donation.currency)
    post(
        NewPosting(
            key=f"donation:{donation.id}:undone",
            event=Event.DONATION_UNDONE,
            lines=events.donation_undone(Share(donation.member_id, amount), donation.charity_id),
            reference=sale,
            actor=actor,
            reason=reason,
        ),
        now=now,
    )
    donation.status, donation.ended_at = row.target, now
    donation.save(update_fields=["status", "ended_at"])
    transaction.on_commit(metrics.DONATIONS.labels(donation.kind, "undo").inc)
    logger.info("donation_undone", donation_id=donation.id, charity_id=donation.charity_id)
    return amount
