"""Where money may go: bank accounts over the API, and who is told of them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from balance.models import BankAccount
from balance.queries.banking import MAX_BANK_ACCOUNTS, count_members_by_iban
from foundation.encryption import matching
from foundation.models import IdempotencyRecord
from members.models import Member
from members.services.notice_mails import send_due_mails
from tests.factories.banking import DE_IBAN, LT_IBAN, OTHER_LT_IBAN, activate, make_bank_account, withdraw
from tests.factories.members import make_market, make_member
from tests.factories.money import give
from tests.members.test_second_factor import code_of, enrol
from tests.members.visitor import ACCOUNTS, Visitor

pytestmark = pytest.mark.django_db

URL = "/api/v1/bank-accounts"
NEW = {"iban": "lt12 1000 0111 0100 1000", "holder_name": "Ona  Kazlauskienė"}


def add(client: APIClient, **changes: Any) -> Any:
    return client.post(URL, NEW | changes)


def problems(answer: Any) -> list[tuple[str, str]]:
    return [(problem["pointer"], problem["code"]) for problem in answer.json()["errors"]]


class TestAdd:
    def test_answers_it_masked_with_the_end_of_its_cool_down(self, as_seller: APIClient) -> None:
        before = timezone.now()
        answer = add(as_seller)
        assert answer.status_code == 201
        body = answer.json()
        assert (body["iban"], body["holder_name"]) == ("LT•• … 1000", "O… K…")
        assert (body["country"], body["currency"]) == ("LT", "EUR")
        assert as_seller.get(answer["Location"]).json() == body
        account = BankAccount.objects.get()
        assert account.usable_at - account.added_at == timedelta(hours=24)
        assert before <= account.added_at

    def test_stores_nothing_readable_and_logs_nothing(
        self, as_seller: APIClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with capture_logs() as lines, caplog.at_level(logging.DEBUG):
            answer = add(as_seller)
        written = answer.content.decode() + str(lines) + caplog.text
        assert LT_IBAN not in written
        assert "Kazlausk" not in written
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM balance_bankaccount")
            row = " ".join(str(bytes(v) if isinstance(v, memoryview) else v) for v in cursor.fetchone())
        assert LT_IBAN not in row
        assert "Kazlausk" not in row
        account = BankAccount.objects.get()
        assert account.iban.reveal() == LT_IBAN
        assert LT_IBAN not in f"{account} {account!r} {account.iban}"

    @pytest.mark.parametrize(
        ("changes", "found"),
        [
            ({"iban": "XX121000011101001000"}, [("/iban", "unknown_iban_country")]),
            ({"iban": LT_IBAN[:-1]}, [("/iban", "invalid_iban_length")]),
            ({"iban": LT_IBAN[:-1] + "1"}, [("/iban", "invalid_iban_check_digits")]),
            ({"iban": DE_IBAN}, [("/iban", "iban_of_another_country")]),
            (
                {"iban": "4711-4711", "holder_name": "1"},
                [("/iban", "invalid_iban"), ("/holder_name", "invalid_holder_name")],
            ),
        ],
    )
    def test_names_every_problem(
        self, as_seller: APIClient, changes: dict[str, str], found: list[tuple[str, str]]
    ) -> None:
        answer = add(as_seller, **changes)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_bank_account")
        assert problems(answer) == found
        assert changes["iban"] not in answer.content.decode()
        assert not BankAccount.objects.exists()

    @pytest.mark.parametrize(
        "body", [{}, NEW | {"iban": 1}, NEW | {"country": "LT"}, NEW | {"iban": "L" * 60}]
    )
    def test_refuses_what_is_no_request(self, as_seller: APIClient, body: dict[str, Any]) -> None:
        assert as_seller.post(URL, body).status_code == 400

    def test_takes_each_once_but_again_after_its_removal(self, as_seller: APIClient) -> None:
        first = add(as_seller)
        again = add(as_seller)
        assert (again.status_code, again.json()["code"]) == (409, "bank_account_exists")
        as_seller.delete(first["Location"])
        assert add(as_seller).status_code == 201

    def test_takes_a_few(self, as_seller: APIClient, seller: Member) -> None:
        first = add(as_seller)
        row = BankAccount.objects.get()
        for number in range(1, MAX_BANK_ACCOUNTS):
            copy = BankAccount(member_id=seller.id, iban=f"{LT_IBAN}{number}", last_four="1000")
            copy.holder_name, copy.country, copy.currency = "Ona", "LT", "EUR"
            copy.added_at = copy.usable_at = row.added_at
            copy.save()
        full = add(as_seller, iban=OTHER_LT_IBAN)
        assert (full.status_code, full.json()["code"]) == (409, "too_many_bank_accounts")
        as_seller.delete(first["Location"])
        assert add(as_seller, iban=OTHER_LT_IBAN).status_code == 201

    def test_one_iban_with_two_members_is_taken_and_found(self, seller: Member, buyer: Member) -> None:
        for member in (seller, buyer):
            make_bank_account(member.id)
        index = BankAccount.objects.values_list("iban_index", flat=True).first()
        assert index is not None
        assert count_members_by_iban([index]) == {index: 2}
        assert BankAccount.objects.filter(matching(BankAccount, "iban", LT_IBAN)).count() == 2

    def test_leaves_nothing_readable_with_its_idempotency_key(self, as_seller: APIClient) -> None:
        as_seller.post(URL, NEW, headers={"Idempotency-Key": "k"})
        kept = IdempotencyRecord.objects.get()
        assert kept.response_status == 201
        assert LT_IBAN not in str(vars(kept))
        assert "Kazlausk" not in str(vars(kept))

    def test_is_for_members(self, stranger: APIClient) -> None:
        assert add(stranger).status_code == 401


class TestRemove:
    def test_takes_it_out_of_the_list(self, as_seller: APIClient) -> None:
        location = add(as_seller)["Location"]
        assert len(as_seller.get(URL).json()["results"]) == 1
        assert as_seller.delete(location).status_code == 204
        assert as_seller.get(URL).json() == {"results": []}
        gone = as_seller.get(location)
        assert (gone.status_code, gone.json()["code"]) == (404, "bank_account_not_found")
        assert as_seller.delete(location).status_code == 404

    def test_is_for_its_member(self, as_seller: APIClient, as_buyer: APIClient) -> None:
        location = add(as_seller)["Location"]
        assert as_buyer.get(location).status_code == as_buyer.delete(location).status_code == 404

    def test_waits_for_the_end_of_a_withdrawal(self, as_seller: APIClient, seller: Member) -> None:
        activate(seller.id)
        give(seller.id, 2000)
        account = make_bank_account(seller.id)
        withdraw(seller.id, account.id)
        answer = as_seller.delete(f"{URL}/{account.id}")
        assert (answer.status_code, answer.json()["code"]) == (409, "bank_account_in_use")


class TestNotices:
    def test_tell_the_owner_of_each_change_without_the_number(
        self, as_seller: APIClient, seller: Member
    ) -> None:
        Member.objects.filter(id=seller.id).update(language="en")
        location = add(as_seller)["Location"]
        as_seller.delete(location)
        assert send_due_mails(now=timezone.now()) == 2
        subjects = [message.subject for message in mail.outbox]
        assert sorted(subjects) == ["A bank account was added", "A bank account was removed"]
        assert {tuple(message.to) for message in mail.outbox} == {(seller.email,)}
        for message in mail.outbox:
            assert "LT•• … 1000" in str(message.body)
            assert LT_IBAN not in str(message.message())


class TestSecondFactor:
    @pytest.fixture
    def phone(self, db: None) -> Visitor:
        make_market("LT")
        make_member("Ona", email="ona@example.test")
        phone = Visitor()
        assert phone.sign_in().status_code == 200
        return phone

    def test_is_not_asked_of_members_without_one(self, phone: Visitor) -> None:
        assert phone.post(URL, NEW).status_code == 201

    def test_is_asked_for_again_and_counts_for_five_minutes(
        self, phone: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        secret = enrol(phone)
        refused = phone.post(URL, NEW)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
        cache.clear()  # the code that enrolled it counts as used for 30 s
        again = phone.post(f"{ACCOUNTS}/auth/2fa/reauthenticate", {"code": code_of(secret)})
        assert again.status_code == 200
        added = phone.post(URL, NEW)
        assert added.status_code == 201
        later = timezone.now() + timedelta(minutes=5, seconds=1)
        monkeypatch.setattr("balance.api.banking.clock.real_now", lambda: later)
        assert phone.delete(added["Location"]).status_code == 403

    def test_of_another_session_does_not_count(self, phone: Visitor) -> None:
        secret = enrol(phone)
        laptop = Visitor()
        cache.clear()
        laptop.sign_in()
        cache.clear()
        laptop.post(f"{ACCOUNTS}/auth/2fa/authenticate", {"code": code_of(secret)})
        assert laptop.post(URL, NEW).status_code == 201
        assert phone.post(URL, NEW | {"iban": OTHER_LT_IBAN}).status_code == 403

    def test_guards_withdrawals_and_identities_too(self, phone: Visitor) -> None:
        enrol(phone)
        body = {"bank_account_id": "01" * 13, "amount": {"amount": 100, "currency": "EUR"}}
        withdrawal = phone.post("/api/v1/withdrawals", body, **{"Idempotency-Key": "a"})
        assert withdrawal.json()["code"] == "second_factor_required"
        identity = {
            "legal_name": "Ona Kazlauskienė", "date_of_birth": "1990-05-17", "street": "Gedimino pr. 1",
            "postal_code": "LT-01103", "city": "Vilnius", "country": "LT",
        }  # fmt: skip
        given = phone.send("PUT", "/api/v1/balance/activation", identity)
        assert given.json()["code"] == "second_factor_required"
