"""docs/money.md is true: its chart is that of the code, and every line of its examples is posted here."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.db.models import Sum

from balance import events
from balance.chart import CHART, MEMBER_KINDS, Account, AccountKind, Event, of_charity, of_member, of_platform
from balance.events import Charges, Fee, Line, NewPosting, Share
from balance.models import LedgerAccount, Transfer
from balance.services.posting import post
from foundation.errors import DomainError
from foundation.money import Money
from members.models import Member
from tests.factories.money import NOON, euros
from tests.repository.sources import REPOSITORY

TEXT = (REPOSITORY / "docs" / "money.md").read_text(encoding="utf-8")
K = AccountKind
_number = itertools.count(1)


@dataclass
class Step:
    """One line of a block that posts or says something, with the lines of a posting below it."""

    words: list[str]
    sides: list[tuple[str, str, int]] = field(default_factory=list)  # Dr or Cr, account, minor units


def minor_units(text: str) -> int:
    return int(Decimal(text).scaleb(2))


def steps_of(body: str) -> list[Step]:
    steps: list[Step] = []
    for line in body.splitlines():
        words = line.split()
        if words[0] in ("Dr", "Cr"):
            steps[-1].sides.append((words[0], " ".join(words[1:-1]), minor_units(words[-1])))
        else:
            steps.append(Step(words))
    return steps


def blocks_of(text: str) -> dict[str, list[Step]]:
    """The block below each heading of the third level."""
    sections = re.split(r"^### (.+)\n", text, flags=re.M)[1:]
    bodies = (re.search(r"^```ledger\n(.*?)^```", body, re.M | re.S) for body in sections[1::2])
    return {
        title: steps_of(body[1])
        for title, body in zip(sections[::2], bodies, strict=True)
        if body is not None
    }


BLOCKS = blocks_of(TEXT)
STORIES = [title for title in BLOCKS if title not in set(Event)]


@dataclass
class Book:
    """The ledger, with S and B as members."""

    seller: Member
    buyer: Member

    def account(self, name: str) -> Account:
        owner, _, kind = name.rpartition(" ")
        if owner == "charity":
            return of_charity("charity", "EUR")
        if owner:
            return of_member({"S": self.seller, "B": self.buyer}[owner].id, K(kind), "EUR")
        return of_platform(K(kind), "EUR")

    def balance(self, name: str) -> int:
        """In the account's normal side."""
        account = self.account(name)
        if account.kind in MEMBER_KINDS:
            minor = LedgerAccount.objects.filter(id=account.id).values_list("balance_minor", flat=True)
            return minor.first() or 0
        debit = Transfer.objects.filter(debit_account_id=account.id).aggregate(sum=Sum("amount_minor"))["sum"]
        credit = Transfer.objects.filter(credit_account_id=account.id).aggregate(sum=Sum("amount_minor"))[
            "sum"
        ]
        owed = (credit or 0) - (debit or 0)
        return -owed if account.row.is_debit_normal else owed

    def record(self, event: Event, lines: tuple[Line, ...]) -> None:
        number = next(_number)
        post(NewPosting(f"doc:{number}", event, lines, f"doc:{number}", "system"), now=NOON)

    def prepare(self, name: str, minor: int) -> None:
        """Bring an account to this balance, from one of the platform's that no example looks at."""
        account, other = self.account(name), of_platform(K.COMPENSATION, "EUR")
        line = Line(other, account, euros(minor)) if minor > 0 else Line(account, other, euros(-minor))
        self.record(Event.CORRECTION, (line,))

    def run(self, step: Step) -> None:
        match step.words:
            case ["before", *name, amount]:
                self.prepare(" ".join(name), minor_units(amount))
            case ["after", *name, amount]:
                assert self.balance(" ".join(name)) == minor_units(amount), step.words
            case ["refused", event, code]:
                with pytest.raises(DomainError) as caught:
                    self.record(Event(event), self.lines(step))
                assert caught.value.code == code
            case [event]:
                self.record(Event(event), self.lines(step))
            case _:
                pytest.fail(f"no such line: {step.words}")

    def lines(self, step: Step) -> tuple[Line, ...]:
        def entries(side: str) -> list[tuple[Account, Money]]:
            return [(self.account(name), euros(minor)) for which, name, minor in step.sides if which == side]

        return events.transfers(entries("Dr"), entries("Cr"))


@pytest.fixture
def book(seller: Member, buyer: Member) -> Book:
    return Book(seller, buyer)


def examples(book: Book) -> dict[Event, tuple[Line, ...]]:
    """The events of the document, as the code that records them builds their lines."""
    none, seller, buyer = euros(0), book.seller.id, book.buyer.id
    twenty = Share(seller, euros(2000))
    charges = Charges(fee=euros(170), shipping=euros(300), verification=none)
    no_charges = Charges(fee=none, shipping=none, verification=none)
    return {
        Event.SALE_CAPTURED: events.sale_captured(
            seller=twenty, buyer_id=buyer, wallet=euros(1000), card=euros(1470), charges=charges
        ),
        Event.SALE_COMPLETED: events.sale_completed(
            seller=twenty,
            donation=euros(200),
            charity_id="charity",
            fee=Fee(net=euros(140), vat=euros(30)),
            shipping=euros(300),
            verification=Fee(net=none, vat=none),
        ),
        Event.SALE_CANCELLED: events.sale_cancelled(
            seller=twenty, buyer_id=buyer, wallet=euros(1000), card=euros(1470), charges=charges
        ),
        Event.SALE_REFUNDED: events.sale_refunded(
            seller=Share(seller, euros(500)),
            buyer_id=buyer,
            wallet=none,
            card=euros(500),
            charges=no_charges,
        ),
        Event.REFUND_SETTLED: events.refund_settled(euros(500)),
        Event.PAYMENT_UNMATCHED: events.payment_unmatched(euros(2460)),
        Event.UNMATCHED_RETURNED: events.unmatched_returned(euros(2460)),
        Event.HOLD_PLACED: events.hold_placed(Share(buyer, euros(1000))),
        Event.HOLD_RELEASED: events.hold_released(Share(buyer, euros(1000))),
        Event.WITHDRAWAL_REQUESTED: events.withdrawal_requested(twenty),
        Event.WITHDRAWAL_PAID: events.withdrawal_paid(twenty),
        Event.WITHDRAWAL_FAILED: events.withdrawal_failed(twenty),
        Event.WITHDRAWAL_RETURNED: events.withdrawal_returned(twenty),
        Event.DONATION_GIVEN: events.donation_given(Share(seller, euros(200)), "charity"),
        Event.DONATION_UNDONE: events.donation_undone(Share(seller, euros(200)), "charity"),
        Event.DONATIONS_SETTLED: events.donations_settled("charity", euros(200)),
        Event.CHARGEBACK: events.chargeback(seller=twenty, borne=euros(470), fee=euros(1500)),
        Event.CHARGEBACK_WON: events.chargeback_won(seller=twenty, borne=euros(470)),
        Event.GOODWILL_GIVEN: events.goodwill_given(Share(seller, euros(500))),
        Event.COMPENSATION_PAID: events.compensation_paid(twenty),
        Event.CARRIER_PAID: events.carrier_paid(euros(300)),
        Event.RETURN_POSTAGE: events.return_postage(Share(seller, euros(300)), euros(300)),
        Event.PSP_SETTLED: events.psp_settled(paid_out=euros(2400), fees=euros(70)),
        Event.BANK_FEE_CHARGED: events.bank_fee_charged(euros(15)),
        Event.DEBT_WRITTEN_OFF: events.debt_written_off(twenty),
        Event.CORRECTION: events.mirrored(events.goodwill_given(Share(seller, euros(500)))),
    }


def sides_of(lines: tuple[Line, ...]) -> tuple[Counter[Account], Counter[Account]]:
    debit, credit = Counter[Account](), Counter[Account]()
    for line in lines:
        debit[line.debit] += line.amount.amount_minor
        credit[line.credit] += line.amount.amount_minor
    return debit, credit


def chart_table() -> Iterator[str]:
    yield "| account | owner | category | what it holds |"
    yield "|---|---|---|---|"
    for row in CHART.values():
        yield f"| `{row.kind.value}` | {row.owner.value} | {row.category.value} | {row.meaning} |"


class TestChart:
    def test_is_that_of_the_code(self) -> None:
        found = re.search(r"<!-- chart: [^>]*-->\n(.*?)<!-- /chart -->", TEXT, re.S)
        assert found
        assert found[1] == "\n".join(chart_table()) + "\n"


class TestExamples:
    def test_are_there_for_every_event(self) -> None:
        assert set(BLOCKS) >= set(Event)
        assert len(BLOCKS) == TEXT.count("```ledger")

    @pytest.mark.parametrize("event", Event)
    def test_of_an_event(self, book: Book, event: Event) -> None:
        steps = BLOCKS[event.value]
        (posting,) = [step for step in steps if step.words == [event.value]]
        lines = examples(book)[event]
        # What the code posts is what the document says …
        assert sides_of(lines) == sides_of(book.lines(posting))
        # … and it does to the accounts what the document says.
        for step in steps:
            if step is posting:
                book.record(event, lines)
            else:
                book.run(step)

    def test_of_a_refund_after_completion(self, book: Book) -> None:
        (refund,) = [
            step for step in BLOCKS["A debt that is paid down"] if step.words == [Event.SALE_REFUNDED.value]
        ]
        lines = events.completed_sale_refunded(
            seller=Share(book.seller.id, euros(2000)),
            buyer_id=book.buyer.id,
            wallet=euros(0),
            card=euros(2470),
            fee=Fee(net=euros(140), vat=euros(30)),
            shipping=euros(300),
            verification=Fee(net=euros(0), vat=euros(0)),
        )
        assert sides_of(lines) == sides_of(book.lines(refund))

    @pytest.mark.parametrize("title", STORIES)
    def test_of_a_story(self, book: Book, title: str) -> None:
        steps = BLOCKS[title]
        assert any(step.words[0] == "after" for step in steps)
        for step in steps:
            book.run(step)
