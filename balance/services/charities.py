"""The catalogue of charities: opened and closed by staff, and given a bank account by two of them."""

from __future__ import annotations

from datetime import datetime

import structlog

from balance.errors import (
    CharityAccountDecided,
    CharityAccountDiffers,
    CharityAccountNotFound,
    CharityWithoutBankAccount,
    InvalidBankAccount,
    SecondPersonNeeded,
)
from balance.ibans import country_of, find_problem, normalised
from balance.lifecycle import CHARITY_ACCOUNT, SECOND_PERSON, STAFF, CharityAccountStatus
from balance.models import Charity, CharityAccount, CharityMarket, CharityText
from foundation.db import atomic_retry
from foundation.lifecycle import UnknownTransition
from members.queries import list_markets

logger = structlog.get_logger(__name__)

_SYSTEM = "system"
# Invented, for sandboxes and demos. The IBAN is the one that the standard's examples use.
_EXAMPLE_IBAN = "DE89370400440532013000"
_EXAMPLES: dict[str, dict[str, str]] = {
    "Example: Second Spring": {
        "en": "An invented charity for trying things out: gives clothes to families.",
        "de": "Eine erfundene Organisation zum Ausprobieren: gibt Familien Kleidung.",
        "fr": "Une association inventée pour essayer : donne des vêtements aux familles.",
        "lt": "Išgalvota organizacija išbandymui: dovanoja drabužius šeimoms.",
    },
    "Example: Paws and Wool": {
        "en": "An invented charity for trying things out: keeps stray animals warm.",
        "de": "Eine erfundene Organisation zum Ausprobieren: wärmt herrenlose Tiere.",
        "fr": "Une association inventée pour essayer : tient les animaux errants au chaud.",
        "lt": "Išgalvota organizacija išbandymui: sušildo benamius gyvūnus.",
    },
}


@atomic_retry
def propose_bank_account(
    *, charity_id: str, iban: str, holder_name: str, staff_id: str, now: datetime
) -> CharityAccount:
    """Say where the charity is to be paid; nothing changes until another person approves it.

    Raises InvalidBankAccount.
    """
    account = _new_account(charity_id, iban, holder_name, by=f"staff:{staff_id}", now=now)
    account.save(force_insert=True)
    logger.info("charity_bank_account_proposed", charity_id=charity_id, charity_account_id=account.id)
    return account


@atomic_retry
def approve_bank_account(*, account_id: str, iban: str, staff_id: str, now: datetime) -> None:
    """Pay the charity there from now on; what is with the bank already goes where it was sent.

    ``iban`` is what the second person has from the charity: an approval is no mere click. Raises
    CharityAccountNotFound, CharityAccountDecided, SecondPersonNeeded, CharityAccountDiffers.
    """
    account = _locked(account_id, "approve", SECOND_PERSON)
    if account.set_by == f"staff:{staff_id}":
        raise SecondPersonNeeded("You proposed it: somebody else has to approve it.")
    if account.iban.reveal() != normalised(iban):
        raise CharityAccountDiffers
    _stand(account, by=f"staff:{staff_id}", now=now)


@atomic_retry
def reject_bank_account(*, account_id: str, staff_id: str, now: datetime) -> None:
    """Do not pay there; who proposed it may do this too.

    Raises CharityAccountNotFound, CharityAccountDecided.
    """
    account = _locked(account_id, "reject", STAFF)
    account.status = CHARITY_ACCOUNT.row(account.status, "reject", STAFF).target
    account.decided_by, account.decided_at = f"staff:{staff_id}", now
    account.save(update_fields=["status", "decided_by", "decided_at"])
    logger.info("charity_bank_account_rejected", charity_account_id=account_id)


def _new_account(charity_id: str, iban: str, holder_name: str, *, by: str, now: datetime) -> CharityAccount:
    number = normalised(iban)
    problem = find_problem(number)
    if problem is not None:
        raise InvalidBankAccount(problem.detail, errors=[problem])
    return CharityAccount(
        charity_id=charity_id,
        iban=number,
        last_four=number[-4:],
        holder_name=" ".join(holder_name.split()),
        country=country_of(number),
        status=CHARITY_ACCOUNT.initial,
        set_at=now,
        set_by=by,
    )


def _locked(account_id: str, verb: str, actor: str) -> CharityAccount:
    """The account, with its charity locked first, so that of two decisions one comes first."""
    known = CharityAccount.objects.filter(id=account_id).first()
    if known is None:
        raise CharityAccountNotFound
    Charity.objects.select_for_update().get(id=known.charity_id)
    account = CharityAccount.objects.select_for_update().get(id=account_id)
    try:
        CHARITY_ACCOUNT.row(account.status, verb, actor)
    except UnknownTransition:
        raise CharityAccountDecided(f"It is {account.status}.") from None
    return account


def _stand(account: CharityAccount, *, by: str, now: datetime) -> None:
    """The caller holds the charity's lock."""
    replace = CHARITY_ACCOUNT.row(CharityAccountStatus.STANDING, "replace", SECOND_PERSON)
    CharityAccount.objects.filter(charity_id=account.charity_id, status=replace.source).update(
        status=replace.target, is_standing=None, replaced_at=now
    )
    account.status = CHARITY_ACCOUNT.row(account.status, "approve", SECOND_PERSON).target
    account.is_standing, account.decided_by, account.decided_at = True, by, now
    account.save()
    logger.info(
        "charity_bank_account_set", charity_id=account.charity_id, charity_account_id=account.id, actor=by
    )


@atomic_retry
def open_charity(*, charity_id: str, now: datetime) -> None:
    """Let members give to it; also one that was closed. Raises CharityWithoutBankAccount."""
    charity = Charity.objects.select_for_update().get(id=charity_id)
    if not CharityAccount.objects.filter(charity_id=charity_id, is_standing=True).exists():
        raise CharityWithoutBankAccount
    charity.opened_at, charity.closed_at = charity.opened_at or now, None
    charity.save(update_fields=["opened_at", "closed_at"])
    logger.info("charity_opened", charity_id=charity_id)


@atomic_retry
def close_charity(*, charity_id: str, now: datetime) -> None:
    """It takes no more donations; what was given is still paid to it. A draft stays one."""
    closed = Charity.objects.filter(id=charity_id, opened_at__isnull=False, closed_at__isnull=True).update(
        closed_at=now
    )
    if closed:
        logger.info("charity_closed", charity_id=charity_id)


@atomic_retry
def add_example_charities(*, now: datetime) -> int:
    """Invented charities for each currency, in all its markets. Returns how many were new."""
    markets: dict[str, list[str]] = {}
    for market in list_markets():
        markets.setdefault(market.currency, []).append(market.code)
    added = 0
    for currency, codes in markets.items():
        for number, (name, texts) in enumerate(_EXAMPLES.items(), 1):
            charity, is_new = Charity.objects.get_or_create(
                country=codes[0],
                registration_number=f"EXAMPLE-{currency}-{number}",
                defaults={"name": name, "currency": currency, "added_at": now},
            )
            if not is_new:
                continue
            CharityText.objects.bulk_create(
                CharityText(charity=charity, language=code, description=text) for code, text in texts.items()
            )
            CharityMarket.objects.bulk_create(
                CharityMarket(charity=charity, market_id=code) for code in codes
            )
            # Invented ones are nobody's: there is no second person to ask.
            _stand(_new_account(charity.id, _EXAMPLE_IBAN, name, by=_SYSTEM, now=now), by=_SYSTEM, now=now)
            open_charity(charity_id=charity.id, now=now)
            added += 1
    return added
