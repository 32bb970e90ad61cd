"""Two people at the same correction, and the same settlement file twice, on real connections."""

from __future__ import annotations

import pytest

from balance.models import Correction, CorrectionLimit, Posting, SettlementCase
from balance.queries.balances import get_balances
from balance.services.correcting import approve_correction, request_correction
from balance.services.reconciling import import_settlement
from members.models import Member
from tests.balance.test_holds_at_once import at_once
from tests.factories.money import NOON, euros, give
from tests.factories.settlements import LATER, PROVIDER, capture, payment, settlement_file

pytestmark = [pytest.mark.needs_server, pytest.mark.django_db(transaction=True)]


def take(member_id: str, minor: int, *, staff_id: str = "01REQUESTER") -> str:
    return request_correction(
        debit=f"{member_id}:available:EUR",
        credit="platform:goodwill:EUR",
        amount=euros(minor),
        reason="Given twice",
        staff_id=staff_id,
        now=NOON,
    )


class TestApprove:
    def test_by_two_people_posts_once(self, transactional_db: None, seller: Member) -> None:
        give(seller.id, 1000)
        for _ in range(5):
            correction_id = take(seller.id, 100)

            def approve(staff_id: str, correction_id: str = correction_id) -> None:
                approve_correction(correction_id=correction_id, staff_id=staff_id, note="", now=NOON)

            answers = at_once(lambda: approve("01SECOND"), lambda: approve("01THIRD"))
            assert sorted(map(str, answers)) == ["None", "correction_decided"]
        assert get_balances(seller.id, "EUR").available == euros(500)


class TestRequest:
    def test_two_at_once_share_the_limit(self, transactional_db: None, seller: Member) -> None:
        CorrectionLimit.objects.create(currency="EUR", valid_from=NOON, alone_minor=1000)
        give(seller.id, 10_000)
        for number in range(5):
            ask = [lambda n=number: take(seller.id, 600, staff_id=f"01STAFF{n}")] * 2
            at_once(*ask)
        statuses = sorted(Correction.objects.values_list("status", flat=True))
        assert statuses == ["posted"] * 5 + ["requested"] * 5


class TestImport:
    def test_of_one_file_by_several_is_done_once(
        self, transactional_db: None, seller: Member, buyer: Member
    ) -> None:
        capture(seller.id, buyer.id, 2470, "order:1")
        content = settlement_file(payment("p-1", "order:1", "24.70", "0.70"))

        def bring() -> bool:
            return import_settlement(
                provider=PROVIDER, name="march.csv", content=content, actor="system", now=LATER
            ).replayed

        assert sorted(at_once(bring, bring, bring, bring)) == [False, True, True, True]
        assert SettlementCase.objects.count() == 1
        assert Posting.objects.filter(event="psp_settled").count() == 1
