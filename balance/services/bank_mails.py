"""Telling members by mail that a bank account was added or removed: the owner may be somebody else."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.core.mail import EmailMessage
from django.template.loader import select_template

from balance import metrics
from balance.ibans import masked
from balance.models import BankAccount
from balance.services.ringing import ring_for_mail
from members.errors import MemberNotFound
from members.queries import get_own_profile

logger = structlog.get_logger(__name__)

BATCH = 200


def mail_bank_account(*, bank_account_id: str) -> bool:
    """Send the mail that is owed, if any; outside a transaction, so at least once. False: nothing was sent.

    A mail that the server refuses stays owed; the sweeper rings again.
    """
    account = BankAccount.objects.filter(id=bank_account_id).exclude(mail_due="").first()
    if account is None:
        return False
    try:
        _message(account).send()
    except MemberNotFound:
        logger.info("bank_mail_without_reader", bank_account_id=account.id)
    except OSError as error:
        # smtplib's errors are OSErrors too. The text may hold the address: log the kind only.
        metrics.BANK_MAILS_REFUSED.inc()
        logger.error("bank_mail_refused", bank_account_id=account.id, error=type(error).__name__)
        return False
    # Unless it was removed while the mail about its addition was sent: that mail is still owed.
    BankAccount.objects.filter(id=account.id, mail_due=account.mail_due).update(mail_due="")
    return True


def sweep_bank_mails() -> int:
    """Ring for mails that are still owed. Returns how many."""
    ids = list(BankAccount.objects.exclude(mail_due="").order_by("id").values_list("id", flat=True)[:BATCH])
    for bank_account_id in ids:
        ring_for_mail(bank_account_id)
    return len(ids)


def _message(account: BankAccount) -> EmailMessage:
    """The first line of a template is the subject. Raises MemberNotFound."""
    owner = get_own_profile(account.member_id)
    at: datetime | None = account.added_at if account.mail_due == "added" else account.removed_at
    prefix = f"balance/mail/bank_account_{account.mail_due}"
    template = select_template([f"{prefix}.{owner.language}.txt", f"{prefix}.en.txt"])
    text = template.render(
        {
            "name": owner.display_name,
            "iban": masked(account.country, account.last_four),
            "at": at,
            "usable_at": account.usable_at,
        }
    )
    subject, _, body = text.partition("\n")
    return EmailMessage(subject=subject.strip(), body=body.strip() + "\n", to=[owner.email])
