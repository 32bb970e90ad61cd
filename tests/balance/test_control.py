from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction

from balance import append_only, events
from balance.chart import Event
from balance.errors import AccountNotFrozen, AccountStillOff
from balance.events import NewPosting, Share
from balance.models import (
    AuditFinding,
    AuditRun,
    Hold,
    LedgerAccount,
    LedgerDay,
    LedgerDayTotal,
    Withdrawal,
)
from balance.queries.totals import Turnover, turnovers_until
from balance.services.control import audit, seal_days, unfreeze, verify_chain
from balance.services.holds import place_hold
from balance.services.posting import post
from members.models import Member
from tests.factories.banking import activate, make_bank_account
from tests.factories.banking import withdraw as request
from tests.factories.money import NOON, euros, give

DAY = NOON.date()
LATER = NOON + timedelta(days=3)
WHY = {"actor": "staff:01STAFF", "reason": "A restore went wrong"}


@contextmanager
def somebody_with_the_password() -> Iterator[None]:
    """Who may drop triggers may change the past; the audit is for them."""
    with connection.schema_editor() as editor:
        append_only.remove(editor)
    yield
    with connection.schema_editor() as editor:
        append_only.install(editor)


def withdraw(member: Member, minor: int, number: int, *, days: int = 0) -> None:
    lines = events.withdrawal_requested(Share(member.id, euros(minor)))
    posting = NewPosting(
        f"w:{number}", Event.WITHDRAWAL_REQUESTED, lines, f"w:{number}", f"member:{member.id}"
    )
    post(posting, now=NOON + timedelta(days=days))


class TestAudit:
    def test_of_a_ledger_that_adds_up(self, seller: Member, buyer: Member) -> None:
        give(seller.id, 1000)
        give(buyer.id, 500)
        activate(seller.id)
        request(seller.id, make_bank_account(seller.id).id, euros(300))
        run = audit(now=LATER)
        assert (run.accounts, run.findings) == (3, 0)

    def test_freezes_an_account_whose_cached_balance_is_off(self, seller: Member, buyer: Member) -> None:
        give(seller.id, 1000)
        give(buyer.id, 500)
        LedgerAccount.objects.filter(id=f"{seller.id}:available:EUR").update(balance_minor=1001)
        run = audit(now=LATER)
        finding = AuditFinding.objects.get(run=run, kind="balance_drift")
        assert (finding.subject, finding.expected, finding.found) == (
            f"{seller.id}:available:EUR",
            "1000",
            "1001",
        )
        frozen = LedgerAccount.objects.filter(frozen_at__isnull=False).values_list("id", flat=True)
        assert list(frozen) == [f"{seller.id}:available:EUR"]

    def test_freezes_what_holds_and_withdrawals_do_not_account_for(
        self, seller: Member, buyer: Member
    ) -> None:
        give(seller.id, 10_000)
        give(buyer.id, 500)
        activate(seller.id)
        withdrawal_id = request(seller.id, make_bank_account(seller.id).id, euros(2000)).id
        place_hold(key="order:1", member_id=seller.id, amount=euros(300), reference="order:1", now=NOON)
        place_hold(key="order:2", member_id=buyer.id, amount=euros(400), reference="order:2", now=NOON)
        assert audit(now=LATER).findings == 0
        # As somebody with the password would: the rows say that it is over, and nothing was posted.
        Withdrawal.objects.filter(id=withdrawal_id).update(status="paid", ended_at=NOON, next_call_at=None)
        Hold.objects.filter(key="order:1").update(amount_minor=301)
        run = audit(now=LATER)
        found = AuditFinding.objects.filter(run=run).order_by("subject")
        assert [(f.kind, f.subject, f.expected, f.found) for f in found] == [
            ("set_aside_drift", f"{seller.id}:held:EUR", "301", "300"),
            ("set_aside_drift", f"{seller.id}:in_transit:EUR", "0", "2000"),
        ]
        frozen = f"{seller.id}:in_transit:EUR"
        with pytest.raises(AccountStillOff):
            unfreeze(account_id=frozen, now=LATER, **WHY)
        Withdrawal.objects.filter(id=withdrawal_id).update(status="requested", ended_at=None)
        unfreeze(account_id=frozen, now=LATER, **WHY)

    def test_finds_a_posting_that_moved_nothing(self, seller: Member) -> None:
        give(seller.id, 1000)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO balance_posting (id, `key`, event, reference, fingerprint, actor, reason,"
                " effective_at, recorded_at) SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'x', event, reference,"
                " fingerprint, actor, reason, effective_at, recorded_at FROM balance_posting"
            )
        run = audit(now=LATER)
        assert [f.kind for f in AuditFinding.objects.filter(run=run)] == ["empty_posting"]


@pytest.mark.django_db(transaction=True)
class TestAuditOfARewrittenPast:
    def test_finds_that_the_last_entry_says_otherwise(self, seller: Member) -> None:
        # The balance after an entry is what answers about the past are made of.
        give(seller.id, 1000)
        with somebody_with_the_password(), connection.cursor() as cursor:
            cursor.execute("UPDATE balance_transfer SET credit_balance_minor = 900")
        run = audit(now=LATER)
        assert [f.kind for f in AuditFinding.objects.filter(run=run)] == ["history_drift"]


class TestUnfreeze:
    def test_waits_until_it_adds_up(self, seller: Member) -> None:
        give(seller.id, 1000)
        account_id = f"{seller.id}:available:EUR"
        LedgerAccount.objects.filter(id=account_id).update(balance_minor=1001)
        audit(now=LATER)
        with pytest.raises(AccountStillOff) as caught:
            unfreeze(account_id=account_id, now=LATER, **WHY)
        assert caught.value.code == "account_still_off"
        LedgerAccount.objects.filter(id=account_id).update(balance_minor=1000)
        unfreeze(account_id=account_id, now=LATER, **WHY)
        assert LedgerAccount.objects.get(id=account_id).frozen_at is None
        with pytest.raises(AccountNotFrozen) as refused:
            unfreeze(account_id=account_id, now=LATER, **WHY)
        assert refused.value.code == "account_not_frozen"


class TestSealDays:
    def test_seals_what_is_over_in_order_and_once(self, seller: Member) -> None:
        give(seller.id, 1000)
        give(seller.id, 1000, now=NOON + timedelta(days=2))
        assert seal_days(now=LATER) == [DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)]
        assert seal_days(now=LATER) == []
        first, second, third = LedgerDay.objects.order_by("day")
        assert (first.previous_hash, second.previous_hash, third.previous_hash) == (
            "",
            first.hash,
            second.hash,
        )
        assert (first.postings, second.postings, third.postings) == (1, 0, 1)

    def test_not_yet_right_after_midnight(self, seller: Member) -> None:
        give(seller.id, 1000)
        midnight = (NOON + timedelta(days=1)).replace(hour=0)
        assert seal_days(now=midnight + timedelta(minutes=9)) == []
        assert seal_days(now=midnight + timedelta(minutes=11)) == [DAY]

    def test_closes_them_to_a_machine_whose_clock_is_late(self, seller: Member) -> None:
        give(seller.id, 1000)
        seal_days(now=LATER)
        last = (LATER - timedelta(days=1)).replace(hour=23, minute=59, second=59, microsecond=999999)
        for late in (NOON - timedelta(days=1), NOON, last):
            # MySQL and MariaDB report what a trigger says as an operational error.
            refused = pytest.raises((IntegrityError, OperationalError), match=append_only.LATE)
            with refused, transaction.atomic():
                give(seller.id, 1000, now=late)
        give(seller.id, 1000, now=last + timedelta(microseconds=1))
        assert verify_chain(now=LATER).findings == 0

    def test_keeps_totals_from_which_every_account_has_its_balance(
        self, seller: Member, buyer: Member
    ) -> None:
        give(seller.id, 1000)
        withdraw(seller, 300, 1)
        give(buyer.id, 50, now=NOON + timedelta(days=1))
        unsealed = turnovers_until(LATER)
        seal_days(now=NOON + timedelta(days=1))
        assert turnovers_until(LATER) == unsealed
        assert unsealed["members:available:EUR"] == Turnover(debits_minor=300, credits_minor=1050)
        assert unsealed["platform:goodwill:EUR"] == Turnover(debits_minor=1050, credits_minor=0)
        total = LedgerDayTotal.objects.get(account="members:available:EUR")
        assert (total.debits_minor, total.credits_minor) == (300, 1000)


@pytest.mark.django_db(transaction=True)
class TestVerifyChain:
    def test_of_an_untouched_past(self, seller: Member) -> None:
        give(seller.id, 1000)
        seal_days(now=LATER)
        assert verify_chain(now=LATER).findings == 0

    def test_names_the_day_that_was_changed(self, seller: Member) -> None:
        for day in range(3):
            give(seller.id, 1000, now=NOON + timedelta(days=day))
        seal_days(now=LATER)
        with somebody_with_the_password(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE balance_posting SET reason = 'x' WHERE recorded_at < %s",
                [(NOON + timedelta(hours=1)).replace(tzinfo=None)],
            )
        run = verify_chain(now=LATER)
        assert [(f.kind, f.subject) for f in AuditFinding.objects.filter(run=run)] == [
            ("chain_broken", DAY.isoformat())
        ]

    def test_sees_a_moved_amount_in_hash_and_totals(self, seller: Member) -> None:
        give(seller.id, 1000)
        seal_days(now=LATER)
        with somebody_with_the_password(), connection.cursor() as cursor:
            cursor.execute("UPDATE balance_transfer SET amount_minor = 999")
        run = verify_chain(now=LATER, since=DAY)
        assert {f.kind for f in AuditFinding.objects.filter(run=run)} == {"chain_broken", "total_drift"}


class TestConstraints:
    def test_of_days_totals_and_findings(self, db: None) -> None:
        """ledger_day_has_hash, day_total_once, day_total_not_negative, finding_once, finding_known_kind."""
        day = LedgerDay.objects.create(
            day=date(2026, 1, 1), hash="a" * 64, postings=0, transfers=0, sealed_at=NOON
        )
        run = AuditRun.objects.create(started_at=NOON, finished_at=NOON, accounts=0, transfers=0, findings=0)
        total = {"day": day, "account": "platform:bank:EUR", "debits_minor": 0, "credits_minor": 0}
        finding = {"run": run, "kind": "balance_drift", "subject": "x", "expected": "", "found": ""}
        LedgerDayTotal.objects.create(**total)
        AuditFinding.objects.create(**finding)
        broken: list[Callable[[], object]] = [
            lambda: LedgerDay.objects.create(
                day=date(2026, 1, 2), hash="", postings=0, transfers=0, sealed_at=NOON
            ),
            lambda: LedgerDayTotal.objects.create(**total),
            lambda: LedgerDayTotal.objects.create(**total | {"account": "y", "debits_minor": -1}),
            lambda: AuditFinding.objects.create(**finding),
            lambda: AuditFinding.objects.create(**finding | {"kind": "nonsense"}),
        ]
        for make in broken:
            with pytest.raises(IntegrityError), transaction.atomic():
                make()


class TestAuditLedgerCommand:
    def test_prints_one_object_and_fails_when_something_is_off(self, seller: Member) -> None:
        give(seller.id, 1000)
        out = io.StringIO()
        call_command("audit_ledger", stdout=out)
        report = json.loads(out.getvalue())
        assert (report["accounts"], report["transfers"], report["findings"]) == (1, 1, [])
        assert report["days_sealed"] > 0
        LedgerAccount.objects.filter(id=f"{seller.id}:available:EUR").update(balance_minor=5)
        with pytest.raises(SystemExit):
            call_command("audit_ledger", "--no-chain", stdout=out)
