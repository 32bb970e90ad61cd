"""What the database itself refuses of the ledger, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from balance.models import LedgerAccount, Posting, Transfer
from members.models import Member
from tests.factories.money import NOON, give


def account(id_: str, **facts: Any) -> LedgerAccount:
    owner, kind, currency = id_.split(":")
    return LedgerAccount.objects.create(
        id=id_,
        **{"kind": kind, "currency": currency, "opened_at": NOON, "member_id": owner, "balance_minor": 0}
        | facts,
    )


def posting(**facts: Any) -> Posting:
    made = {
        "key": "k",
        "event": "correction",
        "reference": "r",
        "fingerprint": "f",
        "actor": "system",
        "effective_at": NOON,
        "recorded_at": NOON,
    }
    return Posting.objects.create(**made | facts)


def refused(make: Callable[[], object]) -> None:
    # MariaDB reports a broken CHECK as an operational error.
    with pytest.raises((IntegrityError, OperationalError)), transaction.atomic():
        make()


class TestAccounts:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("account_known_kind", {"kind": "pocket"}),
            ("account_members_carry_a_balance", {"balance_minor": None}),
            ("account_members_carry_a_balance", {"member_id": None}),
            ("account_only_available_below_zero", {"balance_minor": -1}),
            ("account_id_ends_in_currency", {"currency": "PLN"}),
        ],
    )
    def test_that_cannot_be(self, seller: Member, name: str, facts: dict[str, Any]) -> None:
        refused(lambda: account(f"{seller.id}:pending:EUR", **facts))

    def test_a_debt_is_possible(self, seller: Member) -> None:
        assert account(f"{seller.id}:available:EUR", balance_minor=-1).pk

    def test_the_platform_carries_no_balance(self, db: None) -> None:
        """account_members_carry_a_balance, from the other side."""
        refused(lambda: account("platform:bank:EUR", member_id=None, balance_minor=0))


class TestPostings:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("posting_known_event", {"event": "nonsense"}),
            ("posting_has_key", {"key": ""}),
            ("posting_not_before_it_happened", {"effective_at": NOON + timedelta(seconds=1)}),
        ],
    )
    def test_that_cannot_be(self, db: None, name: str, facts: dict[str, Any]) -> None:
        refused(lambda: posting(**facts))

    def test_a_key_is_there_once(self, db: None) -> None:
        posting()
        refused(posting)

    def test_a_posting_is_reversed_once(self, db: None) -> None:
        first = posting()
        posting(key="undo:1", reverses=first)
        refused(lambda: posting(key="undo:2", reverses=first))


class TestTransfers:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("transfer_amount_positive", {"amount_minor": 0}),
            (
                "transfer_two_accounts",
                {"debit_account_id": "platform:bank:EUR", "credit_account_id": "platform:bank:EUR"},
            ),
            ("transfer_one_currency", {"currency": "PLN"}),
            ("transfer_entry_has_balance", {"debit_entry": 5}),
            ("transfer_credit_entry_has_balance", {"credit_balance_minor": 5, "credit_entry": None}),
            ("transfer_debit_entry_once", {"debit_entry": 1, "debit_balance_minor": 0}),
            ("transfer_credit_entry_once", {"credit_entry": 1, "credit_balance_minor": 0}),
        ],
    )
    def test_that_cannot_be(self, seller: Member, name: str, facts: dict[str, Any]) -> None:
        own = give(seller.id, 100)
        LedgerAccount.objects.create(id="platform:bank:EUR", kind="bank", currency="EUR", opened_at=NOON)

        def transfer(position: int, **more: Any) -> Transfer:
            made = {
                "id": f"{own.id}-{position}",
                "posting_id": own.id,
                "position": position,
                "debit_account_id": "platform:bank:EUR",
                "credit_account_id": f"{seller.id}:available:EUR",
                "currency": "EUR",
                "amount_minor": 5,
            }
            return Transfer.objects.create(**made | more)

        transfer(7, debit_entry=1, debit_balance_minor=0, credit_entry=1, credit_balance_minor=0)
        refused(lambda: transfer(8, **facts))
