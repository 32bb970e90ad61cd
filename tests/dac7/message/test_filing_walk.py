"""Whatever people and workers do in whatever order, the authority is told nothing wrong.

Beside the service stands an authority that remembers: it knows each id it was ever shown, takes, refuses and
finds errors as it likes, and fails the test where a file breaks its rules.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from lxml import etree

from dac7.errors.filings import OtherPersonNeeded
from dac7.lifecycle.filings import OPEN
from dac7.message.records import ReportedSeller
from dac7.models.filings import Filing, FilingExport, FilingMessage, FilingRecord
from dac7.queries.filings import seller_of
from dac7.services import advancing, approving, compiling, correcting, filing, importing_status
from foundation.errors import DomainError
from tests.dac7.message.filings import NOW, SELLERS, YEAR, Reported, earning, told
from tests.dac7.message.statuses import status

PEOPLE = ("01K00000000000000000000ANNA", "01K0000000000000000000BERND", "01K00000000000000000000CARL")
WHO = st.sampled_from(PEOPLE)
AMOUNTS = st.tuples(*[st.integers(min_value=0, max_value=3)] * len(SELLERS))  # 0: sells nothing
ANSWERS = st.sampled_from(["accept", "reject", "one in error"])


class Authority:
    """``standing``: by seller, the id of the record that it holds and what the record says."""

    def __init__(self) -> None:
        self.shown: set[str] = set()
        self.standing: dict[str, tuple[str, int]] = {}

    def take(self, document: bytes, answer: str) -> bytes:
        """Read a file that was handed in; gives the status message."""
        root = etree.fromstring(document)
        message_ref = self._new(root.findtext(".//{*}MessageRefId"))
        taken: list[tuple[str, str, str, int]] = []
        for one in root.iterfind(".//{*}ReportableSeller"):
            kind, ref = str(one.findtext(".//{*}DocTypeIndic")), self._new(one.findtext(".//{*}DocRefId"))
            corrects, seller = one.findtext(".//{*}CorrDocRefId"), ref.rpartition("-")[2]
            held = self.standing.get(seller)
            if kind == "OECD1":
                assert (held, corrects) == (None, None), f"{seller} is reported as new again"
            else:
                assert held is not None, f"{kind} of {seller}, of whom nothing is held"
                assert corrects == held[0], f"{kind} of {seller} corrects what does not stand"
            taken.append((seller, kind, ref, int(one.findtext(".//{*}ConsQ1") or 0)))
        if answer == "reject":
            return status(message_ref, result="Rejected", files=["50007"])
        wrong = [taken[0][2]] if answer == "one in error" and taken else []
        for seller, kind, ref, amount in taken:
            if ref in wrong:
                continue
            if kind == "OECD3":
                del self.standing[seller]
            else:
                self.standing[seller] = (ref, amount)
        return status(message_ref, records=[("98001", wrong)] if wrong else [])

    def _new(self, ref: str | None) -> str:
        assert ref, "an id is missing"
        assert ref not in self.shown, f"{ref} was used before"
        self.shown.add(ref)
        return ref


class Walk(RuleBasedStateMachine):
    """Each step is tried in whatever state the year's latest filing is; a refusal changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.rolled_back = transaction.atomic()
        self.rolled_back.__enter__()
        self.authority = Authority()
        self.given_out: dict[str, bytes] = {}
        self.amounts = (1,) * len(SELLERS)
        self.now = NOW

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rolled_back.__exit__(None, None, None)

    def attempt(self, act: Callable[..., Any], **values: Any) -> bool:
        """As a request of its own: refused, it leaves nothing behind."""
        self.now += timedelta(minutes=1)
        try:
            with transaction.atomic():
                act(**values, now=self.now)
        except DomainError:
            return False
        return True

    def latest(self) -> Filing | None:
        return Filing.objects.filter(year=YEAR).order_by("-number").first()

    def source(self) -> Reported:
        return Reported(*self.sellers())

    def sellers(self) -> list[ReportedSeller]:
        pairs = zip(SELLERS, self.amounts, strict=True)
        return [earning(seller, amount, amount) for seller, amount in pairs if amount]

    @rule(people=st.permutations(PEOPLE))
    def a_filing_is_made_ready(self, people: list[str]) -> None:
        who, second, _ = people
        self.attempt(compiling.open_filing, year=YEAR, by="clock", reason="January")
        self.attempt(correcting.open_correction, year=YEAR, by="staff:1", reason="Changes")
        row = self.latest()
        assert row is not None
        self.attempt(advancing.advance_filing, filing_id=row.id, source=self.source())
        if self.attempt(approving.review_filing, filing_id=row.id, staff_id=who, note="Fine."):
            alone = self.attempt(approving.approve_filing, filing_id=row.id, staff_id=who, note="Fine.")
            assert not alone
            assert self.attempt(approving.approve_filing, filing_id=row.id, staff_id=second, note="Fine.")

    @rule(who=WHO)
    def somebody_reopens(self, who: str) -> None:
        if (row := self.latest()) is not None:
            self.attempt(approving.reopen_filing, filing_id=row.id, staff_id=who, reason="Newer data")

    @rule(who=WHO)
    def somebody_exports(self, who: str) -> None:
        if (row := self.latest()) is None:
            return
        told(row.id)
        for message in FilingMessage.objects.filter(filing=row):
            target = io.BytesIO()
            values = {"message_id": message.id, "target": target, "by": f"staff:{who}", "reason": "x"}
            done = self.attempt(filing.export_message, **values)
            assert done == bool(target.getvalue())
            if done:
                # Under one id the world outside has seen one file, for ever.
                document = self.given_out.setdefault(message.message_ref, target.getvalue())
                assert document == target.getvalue()

    @rule(who=WHO)
    def somebody_withdraws(self, who: str) -> None:
        if (row := self.latest()) is None:
            return
        exported = FilingExport.objects.filter(message__filing=row, exported_by=f"staff:{who}").exists()
        with suppress(DomainError), transaction.atomic():
            filing.withdraw_filing(filing_id=row.id, staff_id=who, reason="Not in the portal", now=self.now)
            assert not exported, OtherPersonNeeded.code

    @rule(who=WHO, answers=st.lists(ANSWERS, min_size=2, max_size=2), amounts=AMOUNTS)
    def it_is_exported_handed_in_and_answered(
        self, who: str, answers: list[str], amounts: tuple[int, ...]
    ) -> None:
        self.somebody_exports(who)
        self.it_is_handed_in(who, answers)
        self.amounts = amounts

    @rule(who=WHO, answers=st.lists(ANSWERS, min_size=2, max_size=2))
    def it_is_handed_in(self, who: str, answers: list[str]) -> None:
        row = self.latest()
        if row is None or not self.attempt(filing.file_filing, filing_id=row.id, staff_id=who, receipt="1"):
            return
        messages = FilingMessage.objects.filter(filing=row).order_by("part")
        for message, answer in zip(messages, answers * 2, strict=False):
            data = self.authority.take(self.given_out[message.message_ref], answer)
            assert self.attempt(importing_status.import_status, data=data, by="staff:1")
            # Once more is nothing, and a second, different answer does not count.
            assert self.attempt(importing_status.import_status, data=data, by="staff:1")
            for other in ({"result": "Rejected"}, {"files": ["50009"], "result": "Rejected"}, {}):
                another = status(message.message_ref, **other)
                assert another == data or not self.attempt(
                    importing_status.import_status, data=another, by="staff:1"
                )

    @rule()
    def everybody_does_their_work(self) -> None:
        """Then the authority knows the truth, whatever was done before."""
        for _ in range(2):
            self.somebody_reopens(PEOPLE[0])
            self.a_filing_is_made_ready(list(PEOPLE))
            self.somebody_exports(PEOPLE[0])
            self.it_is_handed_in(PEOPLE[0], ["accept"] * 2)
        wanted = {seller.seller_id: seller.quarters[0].consideration for seller in self.sellers()}
        assert {seller: amount for seller, (_, amount) in self.authority.standing.items()} == wanted

    @invariant()
    def both_know_the_same_records(self) -> None:
        rows = FilingRecord.objects.filter(standing_key__isnull=False)
        ours = {
            row.seller_id: (row.doc_ref, seller_of(row).quarters[0].consideration) for row in rows.iterator()
        }
        assert ours == self.authority.standing

    @invariant()
    def a_year_has_one_open_filing(self) -> None:
        assert Filing.objects.filter(year=YEAR, status__in=OPEN).count() <= 1


class TestFilingWalk:
    @pytest.mark.django_db
    def test_no_walk_tells_the_authority_anything_wrong(self) -> None:
        run_state_machine_as_test(
            Walk,
            settings=settings(
                max_examples=12,
                stateful_step_count=40,
                deadline=None,
                phases=(Phase.generate,),
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
