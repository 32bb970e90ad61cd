"""Who wins when several do the same at once, with real threads and connections on MySQL or MariaDB."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from balance.models import BankAccount, Posting, SandboxPayout, Withdrawal
from balance.providers import sandbox
from balance.providers.contract import Outcome
from balance.queries.balances import get_balances
from balance.services.callbacks import KIND
from balance.services.sending import advance_withdrawal
from foundation.errors import DomainError
from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from foundation.models import IncomingEvent
from members.models import Member
from tests.factories.banking import activate, make_bank_account, report, status_of
from tests.factories.members import make_member
from tests.factories.money import euros, give
from tests.repository.sources import REPOSITORY

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(0)`, `work(1)`, … return, started together."""
    gate = threading.Barrier(count)

    def start(number: int) -> Any:
        gate.wait(30)
        try:
            return work(number)
        except DomainError as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


@pytest.fixture
def ona(transactional_db: None) -> Member:
    member = make_member("Ona")
    activate(member.id)
    give(member.id, 2000)
    return member


def ask(member: Member, bank_account_id: str, key: str) -> Any:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(member)
    body = {"bank_account_id": bank_account_id, "amount": {"amount": 2000, "currency": "EUR"}}
    return client.post("/api/v1/withdrawals", body, headers={"Idempotency-Key": key})


class TestExample7:
    def test_of_twenty_withdrawals_of_everything_one_is_taken(self, ona: Member) -> None:
        """Worked example 7 of docs/money.md."""
        account_id = make_bank_account(ona.id).id
        answers = at_once(20, lambda number: ask(ona, account_id, f"key-{number}"))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 19}
        refused = {answer.json()["code"] for answer in answers if answer.status_code == 422}
        assert refused == {"insufficient_funds"}
        balances = get_balances(ona.id, "EUR")
        assert (balances.available, balances.in_transit) == (euros(0), euros(2000))
        assert Withdrawal.objects.count() == 1

    def test_one_key_twenty_times_is_one_withdrawal(self, ona: Member) -> None:
        account_id = make_bank_account(ona.id).id
        answers = at_once(20, lambda _: ask(ona, account_id, "one"))
        assert Counter(answer.status_code for answer in answers).keys() <= {201, 409}
        taken = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert len(taken) == Withdrawal.objects.count() == 1


class TestBank:
    @pytest.fixture
    def withdrawal_id(self, ona: Member) -> str:
        return str(ask(ona, make_bank_account(ona.id).id, "k").json()["id"])

    def test_is_called_by_one_worker(self, withdrawal_id: str) -> None:
        now = timezone.now()
        at_once(8, lambda _: advance_withdrawal(withdrawal_id=withdrawal_id, now=now))
        assert SandboxPayout.objects.get().calls == 1
        assert Withdrawal.objects.get().attempts == 1

    def test_cancelled_or_sent_but_never_both(self, ona: Member, withdrawal_id: str) -> None:
        from balance.services.withdrawing import cancel_withdrawal

        now = timezone.now()

        def race(number: int) -> Any:
            if number % 2:
                return cancel_withdrawal(member_id=ona.id, withdrawal_id=withdrawal_id, now=now).status
            return advance_withdrawal(withdrawal_id=withdrawal_id, now=now)

        at_once(8, race)
        was_sent = SandboxPayout.objects.exists()
        assert status_of(withdrawal_id) == ("sent" if was_sent else "cancelled")
        assert get_balances(ona.id, "EUR").available == euros(0 if was_sent else 2000)

    def test_fifty_copies_of_a_callback_have_one_effect(self, ona: Member, withdrawal_id: str) -> None:
        now = timezone.now()
        advance_withdrawal(withdrawal_id=withdrawal_id, now=now)
        sandbox.settle(withdrawal_id, Outcome.FAILED, reason="account_closed")
        body, headers = sandbox.callback(withdrawal_id, Outcome.FAILED, now=now)

        def deliver(_: int) -> None:
            event_id, _new = receive(
                kind=KIND, provider="sandbox", body=body, headers=headers, now=timezone.now()
            )
            process_event(event_id=event_id, now=timezone.now())

        at_once(50, deliver)
        for event in IncomingEvent.objects.all():
            process_event(event_id=event.id, now=timezone.now() + timedelta(minutes=10))
        assert IncomingEvent.objects.count() == 1
        assert status_of(withdrawal_id) == "failed"
        assert get_balances(ona.id, "EUR").available == euros(2000)
        failed = Posting.objects.filter(reference=f"withdrawal:{withdrawal_id}", event="withdrawal_failed")
        assert failed.count() == 1

    def test_answer_and_callback_at_once_have_one_effect(self, ona: Member, withdrawal_id: str) -> None:
        from balance.services.reporting import apply_report

        now = timezone.now()
        advance_withdrawal(withdrawal_id=withdrawal_id, now=now)
        paid = report(withdrawal_id, Outcome.PAID, provider_id=SandboxPayout.objects.get().provider_id or "")
        effects = at_once(12, lambda _: apply_report("sandbox", paid, now=now).value)
        assert Counter(effects) == {"applied": 1, "repeated": 11}
        assert get_balances(ona.id, "EUR").in_transit == euros(0)


class TestKilledWorker:
    def run(self, withdrawal_id: str, now: datetime, *death: str) -> int:
        url = urlsplit(os.environ["DATABASE_URL"])
        own = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
        command = [sys.executable, "-m", "tests.balance.killed_payer", withdrawal_id, now.isoformat()]
        return subprocess.run(
            [*command, *death], cwd=REPOSITORY, env=os.environ | {"DATABASE_URL": own}, check=False
        ).returncode

    @pytest.mark.parametrize(("death", "taken"), [("before", 0), ("after", 1)])
    def test_around_the_call_costs_nobody_a_cent(self, ona: Member, death: str, taken: int) -> None:
        withdrawal_id = str(ask(ona, make_bank_account(ona.id).id, "k").json()["id"])
        now = timezone.now()
        assert self.run(withdrawal_id, now, death) == -signal.SIGKILL
        left = Withdrawal.objects.get()
        assert (left.status, left.provider_id, SandboxPayout.objects.count()) == ("sent", None, taken)
        assert self.run(withdrawal_id, now + timedelta(seconds=31)) == 0
        assert Withdrawal.objects.get().provider_id == SandboxPayout.objects.get().provider_id
        balances = get_balances(ona.id, "EUR")
        assert (balances.available, balances.in_transit) == (euros(0), euros(2000))


class TestBankAccounts:
    def test_one_iban_is_added_once(self, ona: Member) -> None:
        effects = at_once(6, lambda _: make_bank_account(ona.id).iban)
        assert Counter(effects) == {"LT•• … 1000": 1, "bank_account_exists": 5}
        assert BankAccount.objects.count() == 1
