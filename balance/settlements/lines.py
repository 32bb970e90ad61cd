"""What a file of a bank or provider comes down to, whatever its format; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from anyascii import anyascii

from balance.chart import AccountKind, Event
from balance.errors import SettlementFileInvalid
from foundation.errors import FieldProblem
from foundation.money import EXPONENTS, Money

PAYOUT = "payout"
TRANSFER = "transfer"
TRANSFER_RETURNED = "transfer_returned"
BANK_FEE = "bank_fee"
PAYOUT_RECEIVED = "payout_received"
MAX_BYTES = 10_000_000
MAX_LINES = 50_000
MOST_PROBLEMS = 50
ID_LENGTH = 100

# type -> the sign of its amount, and the events that it settles
TYPES: dict[str, tuple[int, frozenset[Event]]] = {
    "payment": (1, frozenset({Event.SALE_CAPTURED, Event.PAYMENT_UNMATCHED})),
    "refund": (-1, frozenset({Event.REFUND_SETTLED})),
    "chargeback": (-1, frozenset({Event.CHARGEBACK})),
    "chargeback_won": (1, frozenset({Event.CHARGEBACK_WON})),
    PAYOUT: (-1, frozenset()),
    TRANSFER: (-1, frozenset({Event.WITHDRAWAL_PAID, Event.DONATIONS_SETTLED})),
    TRANSFER_RETURNED: (1, frozenset({Event.WITHDRAWAL_RETURNED, Event.CORRECTION})),
    BANK_FEE: (-1, frozenset({Event.BANK_FEE_CHARGED})),
    PAYOUT_RECEIVED: (1, frozenset({Event.PSP_SETTLED})),
}


@dataclass(frozen=True, slots=True)
class Book:
    """Which account of ours a file tells of, and by which types of lines."""

    account: AccountKind
    types: frozenset[str]

    @property
    def events(self) -> frozenset[Event]:
        """What is posted of such lines."""
        return frozenset[Event]().union(*(TYPES[name][1] for name in self.types))


TRANSFERS = Book(AccountKind.BANK, frozenset({TRANSFER, TRANSFER_RETURNED, BANK_FEE, PAYOUT_RECEIVED}))
"""What left our bank for members and charities, what came back, what the bank took and what reached it."""
CARDS = Book(AccountKind.PSP_CLEARING, frozenset(TYPES) - TRANSFERS.types)

# What the bank is told with a payment of ours: a withdrawal's id, or the round of a charity's payment.
_OURS = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}|DON[0-9A-HJKMNP-TV-Z]{26}R[1-9][0-9]{0,5}")
_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,12})(?:\.(?P<fraction>[0-9]{0,20}))?")


@dataclass(frozen=True, slots=True)
class Line:
    """A line; amounts in minor units, ``amount_minor`` signed as in the file."""

    number: int
    type: str
    provider_id: str
    reference: str
    amount_minor: int
    fee_minor: int
    occurred_at: datetime

    @property
    def charged_minor(self) -> int:
        """What the bank took for it, or by it."""
        return self.fee_minor - self.amount_minor if self.type == BANK_FEE else self.fee_minor


@dataclass(frozen=True, slots=True)
class Settlement:
    """A file that is in order. ``lines`` are without the payout.

    ``paid_out`` is what reached our bank, or left it by transfers. ``period`` is a statement's: its balances
    show that it has all that was booked from then until then.
    """

    book: Book
    currency: str
    lines: tuple[Line, ...]
    payout: Line | None
    paid_out: Money
    fees: Money
    period: tuple[datetime, datetime] | None = None

    @property
    def whole(self) -> tuple[Line, ...]:
        """The payout too."""
        return self.lines if self.payout is None else (*self.lines, self.payout)

    @property
    def told_of(self) -> tuple[datetime, datetime]:
        """From its first line to its last."""
        return self.period or _ends(self.whole)

    @property
    def complete(self) -> tuple[datetime, datetime] | None:
        """What is posted in it, and not in the file, is missing. Fees alone say nothing of other lines."""
        lines = [line for line in self.lines if line.type != BANK_FEE]
        return self.period or (_ends(lines) if lines else None)


def _ends(lines: Sequence[Line]) -> tuple[datetime, datetime]:
    moments = [line.occurred_at for line in lines]
    return min(moments), max(moments)


def transfers(
    lines: Sequence[Line], currency: str, period: tuple[datetime, datetime] | None = None
) -> Settlement:
    """A file about our bank."""
    return Settlement(
        book=TRANSFERS,
        currency=currency,
        lines=tuple(lines),
        payout=None,
        paid_out=Money(-sum(line.amount_minor for line in lines if line.type == TRANSFER), currency),
        fees=Money(sum(line.charged_minor for line in lines), currency),
        period=period,
    )


def type_of_movement(amount_minor: int, reference: str, *, is_fee: bool, is_return: bool) -> str:
    """What moved on our bank's account. What comes in and names a payment of ours has come back."""
    if amount_minor < 0:
        return BANK_FEE if is_fee else TRANSFER
    return TRANSFER_RETURNED if is_return or _OURS.fullmatch(reference) else PAYOUT_RECEIVED


def minor_of(text: str, currency: str) -> int | None:
    """Minor units of a decimal in major units; None if it is none, or finer than the currency."""
    match = _DECIMAL.fullmatch(text)
    exponent = EXPONENTS[currency]
    if match is None or (match["fraction"] or "")[exponent:].strip("0"):
        return None
    minor = int(match["whole"] + (match["fraction"] or "")[:exponent].ljust(exponent, "0"))
    return -minor if match["sign"] == "-" else minor


def plain(text: str) -> str:
    """A reference in the characters of ours: strangers, whose payments are on the account too, write any."""
    printable = "".join(one if "!" <= one <= "~" else " " for one in anyascii(text))
    return " ".join(printable.split())[:ID_LENGTH].strip()


def refusal(problems: list[FieldProblem]) -> SettlementFileInvalid:
    """All that is wrong with a file, the first of it in words."""
    return SettlementFileInvalid(
        f"{problems[0].detail} Nothing was imported.", errors=problems[:MOST_PROBLEMS]
    )


def problem(number: int, code: str, detail: str) -> FieldProblem:
    """What is wrong with a line."""
    return FieldProblem(pointer=f"/lines/{number}", code=code, detail=f"Line {number} {detail}.")
