"""Any walk over the services that move members' money keeps its promises: holds, withdrawals with their bank,
donations with their payment, corrections, freezing. The model beside it knows who is refused what, and why.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from balance import events
from balance.chart import Event, of_charity
from balance.events import Charges, NewPosting, Share
from balance.models import CorrectionLimit, DonationSettlement, Hold, Posting, Transfer, Withdrawal
from balance.providers import sandbox
from balance.providers.contract import Outcome
from balance.queries.balances import get_balances, get_balances_at
from balance.services.control import audit, unfreeze
from balance.services.correcting import approve_correction, request_correction
from balance.services.donation_settlements import advance_settlement, collect_donations
from balance.services.donations import give_donation
from balance.services.holds import capture_hold, expire_holds, place_hold, release_hold
from balance.services.posting import forget_opened_accounts, post
from balance.services.reviewing import confirm_withdrawal, refuse_withdrawal, release_withdrawal
from balance.services.sending import advance_withdrawal
from balance.services.withdrawing import cancel_withdrawal, request_withdrawal
from tests.balance.purses import Asked, Purse, code_of
from tests.factories.banking import activate, bank_tells, make_bank_account
from tests.factories.donations import make_charity
from tests.factories.members import make_member
from tests.factories.money import NOON, euros, give

# A few in every run; WALK_EXAMPLES=120 to look deeper, a minute or two.
EXAMPLES = int(os.environ.get("WALK_EXAMPLES", "15"))
CENTS = st.integers(min_value=1, max_value=5000)
WHO = st.integers(min_value=0, max_value=1)
PAID, FAILED, RETURNED = Outcome.PAID, Outcome.FAILED, Outcome.RETURNED
# What a bank may say of one payment: in order, late, or in contradiction to itself.
NEWS = st.sampled_from(
    [(), (PAID,), (FAILED,), (RETURNED,), (PAID, RETURNED), (FAILED, PAID), (PAID, FAILED), (RETURNED, PAID)]
)
SMALLEST, ALONE = 100, 6000  # cents: of a withdrawal or donation, and what one person may correct in a day


class Services(RuleBasedStateMachine):
    """Two members, a charity, a bank that says anything at any time, and two of staff."""

    holds = Bundle("holds")
    withdrawals = Bundle("withdrawals")
    corrections = Bundle("corrections")

    def __init__(self) -> None:
        super().__init__()
        self.rolled_back = transaction.atomic()
        self.rolled_back.__enter__()
        forget_opened_accounts()
        self.members = [make_member(f"M{number}") for number in range(2)]
        self.banks = []
        for member in self.members:
            activate(member.id)
            self.banks.append(make_bank_account(member.id).id)
        self.charity = make_charity().id
        CorrectionLimit.objects.create(currency="EUR", valid_from=NOON, alone_minor=ALONE)
        self.purses = [Purse() for _ in self.members]
        self.number = 0
        self.now = NOON
        for who in range(2):
            self.earn(who, 6_000)
        self.owed_to_charity = 0
        self.asked: list[Asked] = []
        self.alone: list[tuple[datetime, int]] = []
        self.active: dict[str, tuple[int, int, datetime]] = {}
        self.past: list[tuple[datetime, list[dict[str, int]]]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rolled_back.__exit__(None, None, None)

    def key(self) -> str:
        self.number += 1
        self.now += timedelta(seconds=1)
        return f"walk:{self.number}"

    @rule(who=WHO, cents=CENTS)
    def earn(self, who: int, cents: int) -> None:
        self.key()
        cents += max(0, -self.purses[who].available)
        give(self.members[who].id, cents, now=self.now)
        self.purses[who].available += cents

    @rule(who=WHO, cents=CENTS)
    def lose(self, who: int, cents: int) -> None:
        """All that is there, and more, while a withdrawal is under way: a chargeback that makes a debt."""
        key, purse = self.key(), self.purses[who]
        if not purse.in_transit:
            return
        cents += max(0, purse.available)
        seller = Share(self.members[who].id, euros(cents))
        lines = events.chargeback(seller=seller, borne=euros(0), fee=euros(15))
        post(NewPosting(key, Event.CHARGEBACK, lines, key, "system"), now=self.now)
        purse.available -= cents
        for asked in self.asked:
            if (asked.who, asked.status) == (who, "requested"):
                self.send(asked, ())

    @rule(target=holds, who=WHO, cents=CENTS)
    def hold(self, who: int, cents: int) -> Any:
        key, purse = self.key(), self.purses[who]
        order: dict[str, Any] = {"key": key, "member_id": self.members[who].id, "reference": key}
        expected = purse.refusal(cents)
        assert code_of(lambda: place_hold(amount=euros(cents), now=self.now, **order)) == expected
        if not expected:
            place_hold(amount=euros(cents), now=self.now, **order)  # again: nothing happens
            purse.available -= cents
            purse.held += cents
            self.active[key] = (who, cents, self.now + timedelta(minutes=15))
        return multiple() if expected else key

    @rule(key=holds, part=CENTS)
    def capture(self, key: str, part: int) -> None:
        hold = Hold.objects.get(key=key)
        who = [member.id for member in self.members].index(hold.member_id)
        part = min(part, hold.amount_minor)
        lines = events.sale_captured(
            seller=Share(self.members[1 - who].id, euros(part)),
            buyer_id=hold.member_id,
            wallet=euros(part),
            card=euros(0),
            charges=Charges(euros(0), euros(0), euros(0)),
        )
        posting = NewPosting(self.key(), Event.SALE_CAPTURED, lines, key, "system")
        expected = "" if key in self.active else "hold_not_active"
        assert code_of(lambda: capture_hold(key=key, posting=posting, now=self.now)) == expected
        if not expected:
            assert capture_hold(key=key, posting=posting, now=self.now).replayed
            self.end_hold(key, used=part)
            self.purses[1 - who].pending += part

    @rule(key=holds)
    def release(self, key: str) -> None:
        if key in self.active:
            release_hold(key=key, actor="system", now=self.now)
            self.end_hold(key, used=0)

    def end_hold(self, key: str, *, used: int) -> None:
        who, cents, _ = self.active.pop(key)
        self.purses[who].held -= cents
        self.purses[who].available += cents - used

    @rule(minutes=st.sampled_from([1, 10, 20]))
    def let_time_pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        due = [key for key, (_, _, until) in self.active.items() if until <= self.now]
        assert expire_holds(now=self.now) == len(due)
        for key in due:
            self.end_hold(key, used=0)

    @rule(target=withdrawals, who=WHO, cents=CENTS, news=st.none() | NEWS)
    def withdraw(self, who: int, cents: int, news: tuple[Outcome, ...] | None = None) -> Any:
        self.key()
        purse, facts = self.purses[who], []
        expected = purse.refusal(cents, smallest=SMALLEST, out_of_range="withdrawal_out_of_range")
        asked: dict[str, Any] = {"member_id": self.members[who].id, "bank_account_id": self.banks[who]}
        asked |= {"amount": euros(cents), "provider": "sandbox", "now": self.now}
        assert code_of(lambda: facts.append(request_withdrawal(**asked))) == expected
        if expected:
            return multiple()
        purse.available -= cents
        purse.in_transit += cents
        # The bank does nothing by itself.
        sandbox.script(facts[0].id, answer="accept", times=1)
        made = Asked(facts[0].id, who, cents)
        self.asked.append(made)
        if news is not None:
            self.send(made, news)
        return made

    @rule(asked=withdrawals, news=NEWS)
    def advance(self, asked: Asked, news: tuple[Outcome, ...]) -> None:
        self.send(asked, news)

    def send(self, asked: Asked, news: tuple[Outcome, ...]) -> None:
        """And hear from the bank, if it has it; outcomes may contradict each other."""
        self.key()
        advance_withdrawal(withdrawal_id=asked.id, now=self.now)
        if asked.status == "requested":
            purse = self.purses[asked.who]
            waits = purse.is_frozen or purse.available < 0
            asked.status, asked.is_with_bank = ("in_review", False) if waits else ("sent", True)
        if asked.is_with_bank:
            for outcome in news:
                self.hear(asked, outcome)

    def hear(self, asked: Asked, outcome: Outcome) -> None:
        self.key()
        bank_tells(asked.id, outcome, now=self.now, times=2)
        purse = self.purses[asked.who]
        match asked.status, outcome:
            case "sent", Outcome.PAID:
                purse.in_transit -= asked.cents
            case "sent", _:
                purse.in_transit -= asked.cents
                purse.available += asked.cents
            case "paid", Outcome.RETURNED:
                purse.available += asked.cents
            case "failed", Outcome.PAID:
                purse.is_frozen |= not asked.contradicted
                asked.contradicted.add(outcome)
                for ask in (self.donate, self.hold, self.withdraw):
                    ask(asked.who, SMALLEST)
                return
            case "failed", Outcome.RETURNED:
                asked.contradicted.add(outcome)
                return
            case _:
                return
        asked.status = outcome.value

    @rule(asked=withdrawals, verb=st.sampled_from(["cancel", "release", "refuse", "confirm"]))
    def decide(self, asked: Asked, verb: str) -> None:
        self.key()
        staff: dict[str, Any] = {"withdrawal_id": asked.id, "staff_id": "1", "note": "Seen", "now": self.now}
        calls: dict[str, tuple[Callable[[], Any], tuple[str, ...], str]] = {
            "cancel": (
                lambda: cancel_withdrawal(
                    member_id=self.members[asked.who].id, withdrawal_id=asked.id, now=self.now
                ),
                ("requested", "in_review"),
                "cancelled",
            ),
            "release": (lambda: release_withdrawal(**staff), ("in_review",), "requested"),
            "refuse": (lambda: refuse_withdrawal(**staff), ("in_review",), "failed"),
            "confirm": (lambda: confirm_withdrawal(**staff), ("sent",), "paid"),
        }
        call, sources, target = calls[verb]
        if asked.status not in sources:
            assert code_of(call) == "withdrawal_status_conflict"
            return
        assert code_of(call) == ""
        asked.status, purse = target, self.purses[asked.who]
        if target != "requested":
            purse.in_transit -= asked.cents
            purse.available += 0 if target == "paid" else asked.cents

    @rule(who=WHO, cents=CENTS)
    def donate(self, who: int, cents: int) -> None:
        self.key()
        purse, member_id = self.purses[who], self.members[who].id
        expected = purse.refusal(cents, smallest=SMALLEST, out_of_range="donation_out_of_range")
        gift: dict[str, Any] = {"charity_id": self.charity, "amount": euros(cents), "now": self.now}
        assert code_of(lambda: give_donation(member_id=member_id, **gift)) == expected
        if not expected:
            purse.available -= cents
            self.owed_to_charity += cents

    @rule(outcomes=NEWS)
    def pay_the_charity(self, outcomes: tuple[Outcome, ...]) -> None:
        """A month later; what the bank says of each payment to the charity."""
        self.now += timedelta(days=32)
        self.let_time_pass(1)
        collect_donations(provider="sandbox", now=self.now)
        collect_donations(provider="sandbox", now=self.now)
        for settlement in DonationSettlement.objects.filter(status="collecting"):
            advance_settlement(settlement_id=settlement.id, now=self.now)
            sent = DonationSettlement.objects.get(id=settlement.id)
            assert sent.status == "sent"
            status = "sent"
            for outcome in outcomes:
                self.key()
                bank_tells(sent.reference or "", outcome, now=self.now)
                if (status, outcome) == ("sent", PAID):
                    self.owed_to_charity -= sent.amount_minor
                    status = "paid"
                elif status == "sent":
                    status = "failed"
                elif (status, outcome) == ("paid", RETURNED):
                    self.owed_to_charity += sent.amount_minor
                    status = "failed"
            assert DonationSettlement.objects.get(id=settlement.id).status == status

    @rule(target=corrections, who=WHO, cents=CENTS)
    def correct(self, who: int, cents: int) -> Any:
        """From the member back to goodwill: alone up to the limit, which may make a debt."""
        self.key()
        recent = sum(minor for at, minor in self.alone if at > self.now - timedelta(hours=24))
        correction_id = request_correction(
            debit=f"{self.members[who].id}:available:EUR",
            credit="platform:goodwill:EUR",
            amount=euros(cents),
            reason="Given twice",
            staff_id="1",
            now=self.now,
        )
        if recent + cents <= ALONE:
            self.alone.append((self.now, cents))
            self.purses[who].available -= cents
            return multiple()
        return correction_id, who, cents

    @rule(correction=corrections, staff_id=st.sampled_from(["1", "2"]))
    def approve(self, correction: tuple[str, int, int], staff_id: str) -> None:
        self.key()
        correction_id, who, cents = correction
        asked: dict[str, Any] = {"correction_id": correction_id, "note": "", "now": self.now}
        is_posted = Posting.objects.filter(key=f"correction:{correction_id}:posted").exists()
        wrong = "correction_decided" if is_posted else "second_person_needed" if staff_id == "1" else ""
        assert code_of(lambda: approve_correction(staff_id=staff_id, **asked)) == wrong
        if not wrong:
            self.purses[who].available -= cents

    @rule(who=WHO)
    def let_go(self, who: int) -> None:
        self.key()
        account_id, purse = f"{self.members[who].id}:available:EUR", self.purses[who]
        if purse.is_frozen:
            unfreeze(account_id=account_id, actor="staff:1", reason="Seen", now=self.now)
            purse.is_frozen = False

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        for member, purse in zip(self.members, self.purses, strict=True):
            balances = get_balances(member.id, "EUR")
            assert {name: getattr(balances, name).amount_minor for name in purse.numbers()} == purse.numbers()
        account = of_charity(self.charity, "EUR").id
        rows = Transfer.objects.order_by()
        given = rows.filter(credit_account_id=account).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        taken = rows.filter(debit_account_id=account).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        assert given - taken == self.owed_to_charity

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        """Cached balances, their sums and histories; what is held and in transit is what rows account for."""
        assert audit(now=self.now).findings == 0

    @invariant()
    def each_fact_is_posted_once(self) -> None:
        again = (
            Posting.objects.filter(reference__startswith="withdrawal:")
            .order_by()
            .values_list("reference", "event")
            .annotate(times=Count("id"))
        )
        assert all(times == 1 for _, _, times in again)
        open_ = Withdrawal.objects.filter(status__in=["in_review", "requested", "sent"])
        assert (open_.aggregate(sum=Sum("amount_minor"))["sum"] or 0) == sum(
            purse.in_transit for purse in self.purses
        )

    @invariant()
    def the_past_stays_as_it_was(self) -> None:
        self.past.append((self.now, [purse.numbers() for purse in self.purses]))
        self.now += timedelta(seconds=1)
        at, numbers = self.past[len(self.past) // 2]
        for member, then in zip(self.members, numbers, strict=True):
            balances = get_balances_at(member.id, "EUR", at)
            assert {name: getattr(balances, name).amount_minor for name in then} == then


class TestServicesWalk:
    def test_no_walk_breaks_a_promise(self, db: None) -> None:
        run_state_machine_as_test(
            Services,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=30,
                deadline=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
