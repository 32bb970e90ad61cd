"""Reading a bank's statement, ISO 20022 camt.053 in its versions 02 and 08; pure.

The message is defined in https://www.iso20022.org/iso-20022-message-definitions, codes of transactions in
https://www.iso20022.org/catalogue-messages/additional-content-messages/external-code-sets. Banks leave out a
lot, so little is asked for; but opening balance, entries and closing balance have to add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from lxml import etree

from balance.errors import SettlementFileInvalid
from balance.settlements.lines import (
    BANK_FEE,
    ID_LENGTH,
    MAX_BYTES,
    MAX_LINES,
    Line,
    Settlement,
    minor_of,
    plain,
    refusal,
    transfers,
    type_of_movement,
)
from foundation.errors import FieldProblem
from foundation.money import EXPONENTS, Money
from foundation.xml_reading import RefusedXml, parse_small

if TYPE_CHECKING:
    Element = etree._Element

VERSIONS = ("02", "08")
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
# A page of a statement begins and ends with interim balances.
OPENING, CLOSING = ("OPBD", "PRCD", "ITBD"), ("CLBD", "ITBD")
FEES = frozenset({"CHRG", "COMM", "COME", "COMI", "COMT", "FEES"})
RETURNS = frozenset({"RRTN", "RPCR"})
NO_REFERENCE = frozenset({"", "NOTPROVIDED", "NONREF"})
EARLIEST = 2000
ROOM = ID_LENGTH - 20
DAY = timedelta(days=1)
# Banks write days and times of their own place; none is further ahead of UTC.
AHEAD = timedelta(hours=14)


def read_camt053(content: bytes, *, now: datetime) -> Settlement:
    """Parse a statement whole. Raises SettlementFileInvalid.

    Days and times without offset count as UTC.
    """
    try:
        root = parse_small(content, most_bytes=MAX_BYTES)
    except RefusedXml as error:
        raise SettlementFileInvalid(f"{error} Nothing was imported.") from None
    name = etree.QName(root)
    space = name.namespace or ""
    if name.localname != "Document" or space not in {NAMESPACE + version for version in VERSIONS}:
        known = " nor ".join(f"camt.053.001.{version}" for version in VERSIONS)
        raise SettlementFileInvalid(
            f"The file is XML, but neither {known}: {space.rpartition(':')[2] or name.localname}."
        )
    return _Reader(space, now).read(root)


@dataclass(slots=True)
class _Share:
    """A transaction's part of an entry: what it moved, signed, and what the bank took for it."""

    of: Element | None
    amount_minor: int
    fee_minor: int = 0
    is_charge: bool = False


class _Reader:
    def __init__(self, space: str, now: datetime) -> None:
        self.space = space
        self.now = now
        self.problems: list[FieldProblem] = []
        self.account = ""
        self.currency = ""
        self.statement = ""
        self.entry = 0
        self.seen: dict[str, int] = {}
        self.says_period = False
        self.lines: list[Line] = []
        self.first_at, self.last_at = now, datetime.min.replace(tzinfo=UTC)

    def read(self, root: Element) -> Settlement:
        statements = self._all(root, "BkToCstmrStmt/Stmt")
        for statement in statements:
            self._statement(statement)
        if self.problems:
            raise refusal(self.problems)
        if not statements:
            raise SettlementFileInvalid("There is no statement in the file.")
        return transfers(self.lines, self.currency, (self.first_at, max(self.first_at, self.last_at)))

    def _statement(self, statement: Element) -> None:
        self.statement = self._text(statement, "Id")
        account = self._text(statement, "Acct/Id/IBAN") or self._text(statement, "Acct/Id/Othr/Id")
        balances = self._all(statement, "Bal")
        amount = None if not balances else self._one(balances[0], "Amt")
        currency = self._text(statement, "Acct/Ccy") or ("" if amount is None else amount.get("Ccy", ""))
        if currency not in EXPONENTS:
            self._refuse(f"is in a currency that is not known: {currency[:3]!r}")
        if self.currency and (account, currency) != (self.account, self.currency):
            self._refuse("is of another account or currency than those before: split the file")
        self.account, self.currency = account, currency
        opening, closing = self._balances(balances)
        self._period(statement, balances)
        moved = sum(self._entry(entry) for entry in self._all(statement, "Ntry"))
        if not self.problems and opening + moved != closing:
            self._refuse(
                f"does not add up: opening {Money(opening, currency)} and booked entries"
                f" {Money(moved, currency)} are {Money(opening + moved, currency)},"
                f" closing is {Money(closing, currency)}"
            )

    def _balances(self, balances: list[Element]) -> tuple[int, int]:
        known = {code: list[int]() for code in (*OPENING, *CLOSING)}
        for balance in balances:
            minor = self._signed(balance)
            if minor is not None and (code := self._text(balance, "Tp/CdOrPrtry/Cd")) in known:
                known[code].append(minor)
        opening = [known[code][0] for code in OPENING if known[code]]
        closing = [known[code][-1] for code in CLOSING if known[code]]
        if not (opening and closing):
            self._refuse(f"has no opening or no closing balance in {self.currency}")
        return opening[0], closing[0]

    def _period(self, statement: Element, balances: list[Element]) -> None:
        """From and to as the statement says; else by its entries and closing balances."""
        said = [self._when(statement, f"FrToDt/{end}") for end in ("FrDtTm", "ToDtTm")]
        self.says_period = all(at is not None for at, _ in said)
        closings = (one for one in balances if self._text(one, "Tp/CdOrPrtry/Cd") in CLOSING)
        for at, is_day in said if self.says_period else [self._when(one, "Dt") for one in closings]:
            if at is not None:
                self._covers(at, is_day)

    def _covers(self, at: datetime, is_day: bool) -> None:
        at = min(at, self.now)
        self.first_at = min(self.first_at, at)
        end = at + DAY - timedelta(microseconds=1) if is_day else at
        self.last_at = max(self.last_at, min(end, self.now))

    def _entry(self, entry: Element) -> int:
        """Lines of an entry, if it is booked; what it moved."""
        self.entry += 1
        if (self._text(entry, "Sts/Cd") or self._text(entry, "Sts")) != "BOOK":
            return 0  # pending, or for information: in no balance
        moved = self._signed(entry)
        if moved is None:
            self._wrong("invalid_amount", f"has no amount in {self.currency} with CRDT or DBIT")
            return 0
        at, is_day = self._when(entry, "BookgDt")
        if at is None or at > self.now + AHEAD:
            self._wrong("invalid_occurred_at", "has no day of booking, or one that has not come yet")
            return moved
        if moved:
            at = min(at, self.now)
            if not self.says_period:
                self._covers(at, is_day)
            shares = list(self._shares(entry, moved))
            for place, share in enumerate(shares, 1):
                suffix = f"/{place}" if len(shares) > 1 else ""
                self._line(entry, share, suffix, at)
        return moved

    def _line(self, entry: Element, share: _Share, suffix: str, at: datetime) -> None:
        of = entry if share.of is None else share.of
        code = self._text(of, "BkTxCd/Domn/Fmly/SubFmlyCd") or self._text(entry, "BkTxCd/Domn/Fmly/SubFmlyCd")
        reference = next(
            (
                name
                for path in ("EndToEndId", "InstrId")
                if (name := plain(self._text(of, f"Refs/{path}"))) not in NO_REFERENCE
            ),
            "",
        )
        type_ = type_of_movement(
            share.amount_minor,
            reference,
            is_fee=share.is_charge or code in FEES,
            is_return=code in RETURNS
            or self._one(of, "RtrInf") is not None
            or self._text(entry, "RvslInd") in ("true", "1"),
        )
        if type_ == BANK_FEE:
            share.amount_minor, share.fee_minor = share.amount_minor - share.fee_minor, 0
        if len(self.lines) == MAX_LINES:
            raise SettlementFileInvalid(f"The file has more than {MAX_LINES:,} transactions: split it.")
        self.lines.append(
            Line(
                number=len(self.lines) + 1,
                type=type_,
                provider_id=self._provider_id(entry, of, suffix),
                reference=reference,
                amount_minor=share.amount_minor,
                fee_minor=share.fee_minor,
                occurred_at=at,
            )
        )

    def _provider_id(self, entry: Element, of: Element, suffix: str) -> str:
        """The bank's own reference; some give none, and some give a fee that of its transfer."""
        own = plain(self._text(of, "Refs/AcctSvcrRef"))
        shared = plain(self._text(entry, "AcctSvcrRef")) or plain(f"{self.statement}:{self.entry}")
        name = (own or shared[:ROOM] + suffix)[:ROOM]
        times = self.seen[name] = self.seen.get(name, 0) + 1
        return name if times == 1 else f"{name}#{times}"

    def _shares(self, entry: Element, moved: int) -> Iterator[_Share]:
        """The transactions of an entry, or itself. Amounts less fees are what the entry moved."""
        details = self._all(entry, "NtryDtls/TxDtls")
        amounts = [self._own_amount(entry, one) for one in details]
        if len(details) > 1 and None not in amounts:
            yield from self._several(entry, moved, details, [amount or 0 for amount in amounts])
            return
        one = details[0] if len(details) == 1 else None
        taken, inside = self._charges(one if one is not None and self._all(one, "Chrgs") else entry)
        amount = amounts[0] if one is not None else None
        if amount is None or amount == moved:
            fee = inside  # the amount is said with the charges, or not said
        else:
            fee = taken if amount - taken == moved else 0
        is_charge = moved < 0 <= moved + fee  # and nothing else
        yield _Share(one, moved, 0, is_charge) if is_charge else _Share(one, moved + fee, fee)

    def _several(
        self, entry: Element, moved: int, details: list[Element], amounts: list[int]
    ) -> Iterator[_Share]:
        charges = [self._charges(one) for one in details]
        taken, of_entry = sum(charge for charge, _ in charges), self._charges(entry)[0]
        over = sum(amounts) - moved
        if over not in (0, taken, of_entry, taken + of_entry):
            whole, parts = Money(moved, self.currency), Money(sum(amounts), self.currency)
            self._wrong("does_not_add_up", f"is {whole}, and its transactions are {parts}")
            return
        for one, amount, (charge, inside) in zip(details, amounts, charges, strict=True):
            if over == 0:
                yield _Share(one, amount + inside, inside)
            elif over == of_entry != taken:
                yield _Share(one, amount)
            else:
                yield _Share(one, amount, charge)
        if over and over != taken:
            yield _Share(None, -of_entry, 0, is_charge=True)

    def _own_amount(self, entry: Element, one: Element) -> int | None:
        """What a transaction moved, if it says so in the currency of the account."""
        is_debit = (self._text(one, "CdtDbtInd") or self._text(entry, "CdtDbtInd")) == "DBIT"
        for path in ("AmtDtls/TxAmt/Amt", "Amt"):
            minor = self._minor(self._one(one, path))
            if minor is not None:
                return -minor if is_debit else minor
        return None

    def _charges(self, of: Element) -> tuple[int, int]:
        """What the bank took, and how much of it is said to be inside the amount."""
        taken = inside = 0
        for charges in self._all(of, "Chrgs"):
            for record in self._all(charges, "Rcrd") or [charges]:
                amounts = (self._minor(self._one(record, path)) for path in ("Amt", "TtlChrgsAndTaxAmt"))
                minor = next(filter(None, amounts), 0)
                if self._text(record, "CdtDbtInd") != "CRDT":
                    taken += minor
                    inside += minor if self._text(record, "ChrgInclInd") in ("true", "1") else 0
        return taken, inside

    def _signed(self, of: Element) -> int | None:
        minor = self._minor(self._one(of, "Amt"))
        sign = {"CRDT": 1, "DBIT": -1}.get(self._text(of, "CdtDbtInd"))
        return None if minor is None or sign is None else minor * sign

    def _minor(self, amount: Element | None) -> int | None:
        if amount is None or amount.get("Ccy") != self.currency:
            return None
        minor = minor_of((amount.text or "").strip(), self.currency)
        return minor if minor is not None and minor >= 0 else None

    def _when(self, of: Element, path: str) -> tuple[datetime | None, bool]:
        """A moment, and whether it is a whole day."""
        texts = [self._text(of, f"{path}/{part}") for part in ("DtTm", "Dt")] + [self._text(of, path)]
        text = next(filter(None, texts), "")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None, False
        if not EARLIEST <= at.year <= self.now.year + 1:
            return None, False
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC), len(text) == len("2026-03-02")

    def _one(self, of: Element, path: str) -> Element | None:
        return of.find(self._path(path))

    def _all(self, of: Element, path: str) -> list[Element]:
        return of.findall(self._path(path))

    def _text(self, of: Element, path: str) -> str:
        return (of.findtext(self._path(path)) or "").strip()

    def _path(self, path: str) -> str:
        return "/".join(f"{{{self.space}}}{name}" for name in path.split("/"))

    def _wrong(self, code: str, detail: str) -> None:
        detail = f"Entry {self.entry} {detail}."
        self.problems.append(FieldProblem(pointer=f"/entries/{self.entry}", code=code, detail=detail))

    def _refuse(self, detail: str) -> NoReturn:
        raise SettlementFileInvalid(f"Statement {self.statement[:35]!r} {detail}. Nothing was imported.")
