"""Bank accounts and identities: what members say about where their money may go, and who they are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from balance import metrics
from balance.errors import (
    BankAccountExists,
    BankAccountInUse,
    BankAccountNotFound,
    InvalidBankAccount,
    InvalidIdentity,
    TooManyBankAccounts,
)
from balance.ibans import country_of, find_problem, masked, normalised
from balance.lifecycle import OPEN
from balance.models import BankAccount, Identity, Withdrawal
from balance.queries.banking import (
    MAX_BANK_ACCOUNTS,
    BankAccountFacts,
    IdentityFacts,
    bank_account_facts,
    identity_facts,
)
from foundation.countries import COUNTRIES
from foundation.db import atomic_retry
from foundation.encryption import matching
from foundation.errors import FieldProblem, PreconditionFailed
from members.queries import get_member_facts
from members.services.notices import notify

logger = structlog.get_logger(__name__)

# Who may have a contract with us in all our markets (UN Convention on the Rights of the Child, art. 1).
ADULT_AT = 18
OLDEST = 120


@dataclass(frozen=True, slots=True)
class IdentityDetails:
    """What a member says of themselves."""

    legal_name: str = field(repr=False)
    date_of_birth: date = field(repr=False)
    street: str = field(repr=False)
    postal_code: str = field(repr=False)
    city: str = field(repr=False)
    country: str


@atomic_retry
def add_bank_account(*, member_id: str, iban: str, holder_name: str, now: datetime) -> BankAccountFacts:
    """Add an account in the member's home country; it takes no money until the cool-down is over.

    Raises InvalidBankAccount, BankAccountExists, TooManyBankAccounts.
    """
    member = get_member_facts(member_id)
    number, holder = normalised(iban), _tidy(holder_name)
    problems = _account_problems(number, holder, member.country)
    if problems:
        for problem in problems:
            metrics.BANK_ACCOUNTS_REFUSED.labels(problem.code).inc()
        raise InvalidBankAccount(errors=problems)
    own = BankAccount.objects.filter(member_id=member_id, is_standing=True)
    # The unique constraint holds among rows of one index key only; this look knows the former keys too.
    if own.filter(matching(BankAccount, "iban", number)).exists():
        raise BankAccountExists
    # Two requests at once may pass it by one: it keeps the list short, nothing else depends on it.
    if own.count() >= MAX_BANK_ACCOUNTS:
        raise TooManyBankAccounts
    account = BankAccount(
        member_id=member_id,
        iban=number,
        last_four=number[-4:],
        holder_name=holder,
        country=member.country,
        currency=member.currency,
        added_at=now,
        usable_at=now + timedelta(hours=settings.BANK_ACCOUNT_COOL_DOWN_H),
    )
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise BankAccountExists from None
    logger.info("bank_account_added", bank_account_id=account.id)
    _tell(account, "added", now=now, usable_at=account.usable_at)
    return bank_account_facts(account)


@atomic_retry
def remove_bank_account(*, member_id: str, bank_account_id: str, now: datetime) -> None:
    """Raises BankAccountNotFound, BankAccountInUse."""
    account = (
        BankAccount.objects.select_for_update()
        .filter(id=bank_account_id, member_id=member_id, is_standing=True)
        .first()
    )
    if account is None:
        raise BankAccountNotFound
    if Withdrawal.objects.filter(bank_account_id=account.id, status__in=OPEN).exists():
        raise BankAccountInUse
    account.is_standing, account.removed_at = None, now
    account.save(update_fields=["is_standing", "removed_at"])
    logger.info("bank_account_removed", bank_account_id=account.id)
    _tell(account, "removed", now=now)


def _tell(account: BankAccount, event: str, *, now: datetime, **more: datetime) -> None:
    # Whoever did it may not be the owner of the money.
    notify(
        member_id=account.member_id,
        kind=f"bank_account.{event}",
        params={"iban": masked(account.country, account.last_four), "at": now, **more},
        subject=f"bank_account:{account.id}",
        key=f"bank_account:{account.id}:{event}",
        now=now,
    )


@atomic_retry
def give_identity(
    *, member_id: str, details: IdentityDetails, expected_version: int | None, now: datetime
) -> IdentityFacts:
    """Store who the member is, or change it. ``expected_version``: None for the first time.

    Raises InvalidIdentity, and PreconditionFailed when it was given or changed in the meantime.
    """
    problems = _identity_problems(details, now.date())
    if problems:
        raise InvalidIdentity(errors=problems)
    identity = Identity.objects.select_for_update().filter(member_id=member_id).first()
    if (None if identity is None else identity.version) != expected_version:
        raise PreconditionFailed
    if identity is None:
        identity = Identity(member_id=member_id, given_at=now)
    else:
        identity.version += 1
    identity.legal_name = _tidy(details.legal_name)
    identity.date_of_birth = details.date_of_birth.isoformat()
    identity.street = _tidy(details.street)
    identity.postal_code = _tidy(details.postal_code)
    identity.city = _tidy(details.city)
    identity.country, identity.changed_at = details.country, now
    try:
        with transaction.atomic():
            identity.save()
    except IntegrityError:
        raise PreconditionFailed from None  # given twice at once
    logger.info("identity_given", identity_id=identity.id, version=identity.version)
    return identity_facts(identity)


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _account_problems(iban: str, holder: str, home: str) -> list[FieldProblem]:
    problems = []
    wrong = find_problem(iban)
    if wrong is not None:
        problems.append(wrong)
    elif country_of(iban) != home:
        problems.append(
            FieldProblem("/iban", "iban_of_another_country", f"Withdrawals go to accounts in {home}.")
        )
    if not _is_name(holder):
        problems.append(FieldProblem("/holder_name", "invalid_holder_name", "The name as the bank has it."))
    return problems


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d_][^\d_@/\\<>]{1,69}", text))


def _identity_problems(details: IdentityDetails, today: date) -> list[FieldProblem]:
    problems = []
    name = _tidy(details.legal_name)
    if not _is_name(name) or " " not in name:
        problems.append(FieldProblem("/legal_name", "invalid_legal_name", "First and last name."))
    born = details.date_of_birth
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if born > today or age > OLDEST:
        problems.append(FieldProblem("/date_of_birth", "implausible_date", "The day of your birth."))
    elif age < ADULT_AT:
        problems.append(FieldProblem("/date_of_birth", "too_young", f"{ADULT_AT} years at least."))
    if not re.fullmatch(r"[A-Za-z0-9 \-]{2,12}", _tidy(details.postal_code)):
        problems.append(FieldProblem("/postal_code", "invalid_postal_code", "2 to 12 letters and digits."))
    if details.country not in COUNTRIES:
        problems.append(FieldProblem("/country", "unknown_country", "There is no such country."))
    return problems
