"""The catalogue of charities: opened, closed and given a bank account by staff."""

from __future__ import annotations

from datetime import datetime

import structlog

from balance.errors import CharityWithoutBankAccount, InvalidBankAccount
from balance.ibans import country_of, find_problem, normalised
from balance.models import Charity, CharityAccount, CharityMarket, CharityText
from foundation.db import atomic_retry
from members.queries import list_markets

logger = structlog.get_logger(__name__)

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
def set_bank_account(
    *, charity_id: str, iban: str, holder_name: str, staff_id: str, now: datetime
) -> CharityAccount:
    """Pay the charity there from now on; what is with the bank already goes where it was sent.

    Raises InvalidBankAccount.
    """
    number = normalised(iban)
    problem = find_problem(number)
    if problem is not None:
        raise InvalidBankAccount(problem.detail, errors=[problem])
    Charity.objects.select_for_update().get(id=charity_id)
    CharityAccount.objects.filter(charity_id=charity_id, is_standing=True).update(
        is_standing=None, replaced_at=now
    )
    account = CharityAccount(
        charity_id=charity_id,
        iban=number,
        last_four=number[-4:],
        holder_name=" ".join(holder_name.split()),
        country=country_of(number),
        set_at=now,
        set_by=f"staff:{staff_id}" if staff_id else "system",
    )
    account.save(force_insert=True)
    logger.info("charity_bank_account_set", charity_id=charity_id, charity_account_id=account.id)
    return account


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
            set_bank_account(
                charity_id=charity.id, iban=_EXAMPLE_IBAN, holder_name=name, staff_id="", now=now
            )
            open_charity(charity_id=charity.id, now=now)
            added += 1
    return added
