"""Reading a settlement file of our own shape, for cards and for transfers; pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from balance.errors import SettlementFileInvalid
from balance.settlements.lines import (
    CARDS,
    ID_LENGTH,
    MAX_LINES,
    MOST_PROBLEMS,
    PAYOUT,
    TRANSFERS,
    TYPES,
    Line,
    Settlement,
    problem,
    refusal,
    transfers,
)
from foundation.errors import FieldProblem
from foundation.money import EXPONENTS, Money

COLUMNS = ("type", "provider_id", "reference", "amount", "fee", "currency", "occurred_at")

_AMOUNT = re.compile(r"-?[0-9]{1,12}(?:\.([0-9]{1,3}))?")
_ID = re.compile(r"[!-~]+(?: [!-~]+)*")


def read_own_csv(content: bytes, *, now: datetime) -> Settlement:
    """Parse a file whole. Raises SettlementFileInvalid."""
    return _Reader(now).read(rows_of(text_of(content)))


def text_of(content: bytes) -> str:
    """UTF-8, with or without a mark. Raises SettlementFileInvalid."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise refusal([problem(number, "not_utf8", "is not UTF-8")]) from None


def rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, with their numbers. Raises SettlementFileInvalid."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise refusal([problem(reader.line_num, "not_csv", f"is no CSV: {error}")]) from None
        if row is None:
            return
        if row:
            yield reader.line_num, row


class _Reader:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.problems: list[FieldProblem] = []
        self.currency = ""
        self.seen: dict[str, int] = {}

    def read(self, rows: Iterator[tuple[int, list[str]]]) -> Settlement:
        number, header = next(rows, (1, []))
        if tuple(header) != COLUMNS:
            raise refusal([problem(number, "wrong_columns", f"has to be {','.join(COLUMNS)}")])
        lines = list(self._lines(rows))
        if any(line.type in TRANSFERS.types for line in lines):
            return self._transfers(lines)
        payouts = [line for line in lines if line.type == PAYOUT]
        if not self.problems and len(payouts) != 1:
            raise SettlementFileInvalid(f"There has to be one payout in a file, not {len(payouts)}.")
        if self.problems:
            raise refusal(self.problems)
        payout = payouts[0]
        fees = sum(line.fee_minor for line in lines)
        left = sum(line.amount_minor for line in lines) - fees
        if left:
            raise SettlementFileInvalid(
                "The file does not add up: amounts less fees less the payout leave"
                f" {Money(left, self.currency)}. Nothing was imported."
            )
        return Settlement(
            book=CARDS,
            currency=self.currency,
            lines=tuple(line for line in lines if line is not payout),
            payout=payout,
            paid_out=Money(-payout.amount_minor, self.currency),
            fees=Money(fees, self.currency),
        )

    def _transfers(self, lines: list[Line]) -> Settlement:
        for line in lines:
            if line.type not in TRANSFERS.types:
                self._wrong(line.number, "mixed_types", "is about cards, and others are about transfers")
        if self.problems:
            raise refusal(self.problems)
        return transfers(lines, self.currency)

    def _lines(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[Line]:
        for count, (number, row) in enumerate(rows, 1):
            if count > MAX_LINES:
                raise SettlementFileInvalid(
                    f"The file has more than {MAX_LINES:,} lines: split it by payout."
                )
            before = len(self.problems)
            line = self._line(number, row)
            if line is not None and len(self.problems) == before:
                yield line
            if len(self.problems) >= MOST_PROBLEMS:
                return

    def _wrong(self, number: int, code: str, detail: str) -> None:
        self.problems.append(problem(number, code, detail))

    def _line(self, number: int, row: list[str]) -> Line | None:
        if len(row) != len(COLUMNS):
            self._wrong(number, "wrong_columns", f"has {len(row)} columns, not {len(COLUMNS)}")
            return None
        type_, provider_id, reference, amount, fee, currency, occurred_at = row
        if type_ not in TYPES:
            self._wrong(number, "unknown_type", f"is of an unknown type; there are {', '.join(TYPES)}")
            return None
        self._check_currency(number, currency)
        self._check_ids(number, provider_id, reference)
        return Line(
            number=number,
            type=type_,
            provider_id=provider_id,
            reference=reference,
            amount_minor=self._amount(number, "amount", amount, currency, TYPES[type_][0], type_),
            fee_minor=self._amount(number, "fee", fee, currency, 1, PAYOUT),
            occurred_at=self._moment(number, occurred_at),
        )

    def _check_currency(self, number: int, currency: str) -> None:
        if currency not in EXPONENTS:
            self._wrong(number, "unknown_currency", "has a currency that is not known")
        elif self.currency not in ("", currency):
            self._wrong(number, "mixed_currencies", f"is in {currency}, those before in {self.currency}")
        else:
            self.currency = currency

    def _check_ids(self, number: int, provider_id: str, reference: str) -> None:
        if not (_ID.fullmatch(provider_id) and len(provider_id) <= ID_LENGTH):
            self._wrong(number, "invalid_provider_id", "has no provider_id of 1 to 100 ASCII characters")
        elif provider_id in self.seen:
            self._wrong(number, "duplicate_line", f"repeats the provider_id of line {self.seen[provider_id]}")
        else:
            self.seen[provider_id] = number
        if reference and not (_ID.fullmatch(reference) and len(reference) <= ID_LENGTH):
            self._wrong(
                number, "invalid_reference", "has a reference that is not of 100 ASCII characters at most"
            )

    def _amount(self, number: int, name: str, text: str, currency: str, sign: int, type_: str) -> int:
        match = _AMOUNT.fullmatch(text)
        exponent = EXPONENTS.get(currency, 3)
        if match is None or len(match[1] or "") > exponent:
            self._wrong(
                number, f"invalid_{name}", f"has an {name} that is no decimal number of {currency[:3]}"
            )
            return 0
        whole, _, fraction = text.lstrip("-").partition(".")
        minor = int(whole + fraction.ljust(exponent, "0")) * (-1 if text.startswith("-") else 1)
        # A payout and a fee may be nothing.
        if minor * sign < 0 or (minor == 0 and type_ != PAYOUT):
            wanted = "above zero" if sign > 0 else "below zero"
            self._wrong(number, f"invalid_{name}", f"has an {name} that is not {wanted}")
        return minor

    def _moment(self, number: int, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
        except ValueError:
            self._wrong(
                number, "invalid_occurred_at", "has an occurred_at that is no ISO 8601 time with offset"
            )
            return self.now
        if moment > self.now:
            self._wrong(number, "invalid_occurred_at", "has not happened yet")
        return moment
