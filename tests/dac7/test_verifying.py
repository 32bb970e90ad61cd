"""What registries and people say of a profile, and what happens when nobody says anything."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dac7.errors.profiles import CheckNotFound, CheckStatusConflict, ReasonRequired
from dac7.lifecycle.profiles import CONFIRMED_FOR
from dac7.models import CheckEvent, InformationRequest, ProfileCheck
from dac7.profile_rules import GivenTin
from dac7.queries.profiles import find_profile, iter_dossiers, iter_shared_persons, list_tax_subjects
from dac7.registries.contract import VatAnswer, VatRegistry
from dac7.services import verifying
from dac7.services.diligence import sweep_requests
from dac7.services.sharing import review_shared_numbers
from dac7.services.verifying import (
    approve_check,
    ask_registries,
    ask_registry,
    pause_after,
    refuse_check,
    sweep_checks,
)
from dac7.tasks import ask_registry as rung_registry
from dac7.tasks import review_shared_numbers as rung_review
from dac7.tasks import sweep_profile_checks
from foundation.sandbox import sweepers
from members.models import Member
from members.queries import find_restriction
from tests.factories.members import make_member
from tests.factories.money import NOON
from tests.factories.tax import LT_TIN, LT_VAT, company, give_profile, person

pytestmark = pytest.mark.django_db

UNKNOWN_VAT, SILENT_VAT = "LU12345600", "LU12345601"


def check_of(member: Member) -> ProfileCheck:
    return ProfileCheck.objects.get(profile__member=member, is_standing=True)


def with_vat(seller: Member, number: str) -> ProfileCheck:
    """The rules would refuse an invented number, the sandbox registry answers by its ending."""
    give_profile(seller.id, company(vat_number=LT_VAT))
    check = check_of(seller)
    check.profile.vat_number = number
    check.profile.save()
    return check


class TestRegistry:
    def test_confirms_a_number_and_is_asked_again_half_a_year_later(self, seller: Member) -> None:
        give_profile(seller.id, company(vat_number=LT_VAT))
        check = check_of(seller)
        assert (check.status, check.due_at) == ("waiting", NOON)
        ask_registry(check_id=check.id, now=NOON)
        check.refresh_from_db()
        assert (check.status, check.due_at, check.checked_by) == ("passed", NOON + CONFIRMED_FOR, "sandbox")
        ask_registry(check_id=check.id, now=NOON + CONFIRMED_FOR)
        events = CheckEvent.objects.filter(profile_check=check).values_list("verb", flat=True)
        assert list(events) == ["open", "confirm", "expire", "confirm"]

    def test_that_does_not_know_it_leaves_it_to_a_person(self, seller: Member) -> None:
        check = with_vat(seller, UNKNOWN_VAT)
        ask_registry(check_id=check.id, now=NOON)
        check.refresh_from_db()
        assert (check.status, check.reason, check.due_at) == ("pending", "not_registered", None)
        assert find_profile(seller.id).missing == ()  # type: ignore[union-attr]  # it is there

    def test_that_is_down_never_reads_as_invalid(self, seller: Member) -> None:
        check = with_vat(seller, SILENT_VAT)
        now = NOON
        for attempt in (1, 2, 3):
            ask_registry(check_id=check.id, now=now)
            check.refresh_from_db()
            assert (check.status, check.attempts, check.reason) == ("waiting", attempt, "")
            assert check.due_at == now + pause_after(attempt)
            now = check.due_at
        assert pause_after(50) == timedelta(hours=12)

    def test_is_not_asked_before_it_is_due_or_for_what_is_gone(self, seller: Member) -> None:
        check = with_vat(seller, LT_VAT)
        ask_registry(check_id=check.id, now=NOON - timedelta(seconds=1))
        ask_registry(check_id="01ARZ3NDEKTSV4RRFFQ69G5FAV", now=NOON)
        check.refresh_from_db()
        assert check.attempts == 0
        give_profile(seller.id, company(), version=1)
        ask_registry(check_id=check.id, now=NOON)
        assert ProfileCheck.objects.get(id=check.id).status == "replaced"

    def test_answer_about_a_number_that_is_gone_counts_for_nothing(self, seller: Member) -> None:
        check = with_vat(seller, LT_VAT)

        class Slow:
            name = "slow"

            def look_up(self, vat_number: str) -> VatAnswer:
                check.profile.vat_number = "LV40003521600"
                check.profile.save()
                return VatAnswer(is_registered=False)

        registry: VatRegistry = Slow()
        ask_registry(check_id=check.id, now=NOON, registry=registry)
        check.refresh_from_db()
        assert check.status == "waiting"

    def test_is_asked_as_the_sandboxes_clock_moves(self, seller: Member) -> None:
        with_vat(seller, SILENT_VAT)
        assert ask_registries(now=NOON) == 1
        assert ask_registries(now=NOON) == 0
        assert "dac7.profile_checks" in {sweeper.name for sweeper in sweepers.registered()}

    def test_is_rung_for_and_swept(self, seller: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        check = with_vat(seller, LT_VAT)
        rung: list[str] = []
        monkeypatch.setattr(verifying, "ring_for_check", rung.append)
        assert sweep_checks(now=NOON) == 1
        assert rung == [check.id]
        rung_registry(check.id)
        check.refresh_from_db()
        assert check.status == "passed"
        sweep_profile_checks()
        assert len(rung) == 1


class TestPerson:
    @pytest.fixture
    def pending(self, seller: Member) -> ProfileCheck:
        check = with_vat(seller, UNKNOWN_VAT)
        ask_registry(check_id=check.id, now=NOON)
        return check

    def test_approves_with_a_reason(self, seller: Member, pending: ProfileCheck) -> None:
        approve_check(check_id=pending.id, staff_id="01STAFF", note="certificate seen", now=NOON)
        pending.refresh_from_db()
        assert (pending.status, pending.checked_by, pending.note) == (
            *("approved", "staff:01STAFF"),
            "certificate seen",
        )
        assert find_profile(seller.id).missing == ()  # type: ignore[union-attr]  # it is there

    def test_refuses_and_the_seller_owes_it_again(self, seller: Member, pending: ProfileCheck) -> None:
        refuse_check(check_id=pending.id, staff_id="01STAFF", note="not theirs", now=NOON)
        [owed] = find_profile(seller.id).missing  # type: ignore[union-attr]  # it is there
        assert (owed.pointer, owed.code) == ("/vat_number", "vat_not_registered")
        assert next(iter_dossiers([seller.id])).missing == ("/vat_number",)
        assert list_tax_subjects([seller.id])[seller.id].is_complete is False

    def test_asks_for_what_was_refused_until_it_is_given(self, seller: Member, pending: ProfileCheck) -> None:
        refuse_check(check_id=pending.id, staff_id="01STAFF", note="not theirs", now=NOON)
        request = InformationRequest.objects.get()
        assert (request.member_id, request.status, request.is_open) == (seller.id, "requested", True)
        for days in (15, 40, 70):
            sweep_requests(now=NOON + timedelta(days=days))
        later = NOON + timedelta(days=71)
        assert find_restriction(member_id=seller.id, capability="withdraw", now=later) is not None
        assert give_profile(seller.id, company(), version=1, now=later).missing == ()
        assert find_restriction(member_id=seller.id, capability="withdraw", now=later) is None
        request.refresh_from_db()
        assert request.status == "answered"

    def test_says_why_and_decides_once(self, pending: ProfileCheck) -> None:
        with pytest.raises(ReasonRequired) as refusal:
            approve_check(check_id=pending.id, staff_id="01STAFF", note=" ", now=NOON)
        assert refusal.value.code == "tax_reason_required"
        approve_check(check_id=pending.id, staff_id="01STAFF", note="seen", now=NOON)
        with pytest.raises(CheckStatusConflict) as conflict:
            refuse_check(check_id=pending.id, staff_id="01STAFF", note="seen", now=NOON)
        assert conflict.value.code == "tax_check_status_conflict"
        assert conflict.value.extra == {"allowed_actions": []}
        with pytest.raises(CheckNotFound) as missing:
            refuse_check(check_id="01ARZ3NDEKTSV4RRFFQ69G5FAV", staff_id="01STAFF", note="x", now=NOON)
        assert missing.value.code == "tax_check_not_found"


class TestSharedPersons:
    """Two accounts of one person are one seller; somebody else's number makes nobody one seller."""

    def test_are_found_by_their_number(self, seller: Member) -> None:
        second, stranger = make_member("Ona again"), make_member("Jonas")
        give_profile(seller.id)
        give_profile(second.id)
        jonas = person(first_name="Jonas", last_name="Petraitis", tins=(GivenTin("DE", "36574261809"),))
        give_profile(stranger.id, jonas)
        both = tuple(sorted((seller.id, second.id)))
        assert list(iter_shared_persons()) == [both]
        subjects = list_tax_subjects([second.id, stranger.id])
        assert subjects[second.id].person_key == both[0]
        assert subjects[stranger.id].person_key == stranger.id
        assert subjects[stranger.id].residences == ("DE", "LT")

    def test_hang_together_over_several_numbers(self, seller: Member) -> None:
        second, third = make_member("Ona two"), make_member("Ona three")
        idnr = GivenTin("DE", "36574261809")
        give_profile(seller.id)
        give_profile(second.id, person(tins=(GivenTin("LT", LT_TIN), idnr)))
        give_profile(third.id, person(tins=(idnr,)))
        assert list(iter_shared_persons()) == [tuple(sorted((seller.id, second.id, third.id)))]
        assert list_tax_subjects([third.id])[third.id].person_key == min(seller.id, second.id, third.id)

    def test_with_different_names_wait_for_a_person(self, seller: Member) -> None:
        other = make_member("Jonas")
        give_profile(seller.id)
        give_profile(other.id, person(first_name="Jonas", last_name="Petraitis"))
        assert list(iter_shared_persons()) == []
        assert list_tax_subjects([other.id])[other.id].person_key is None
        approve_check(check_id=check_of(other).id, staff_id="01STAFF", note="married name", now=NOON)
        assert list(iter_shared_persons()) == [tuple(sorted((seller.id, other.id)))]

    def test_that_became_doubtful_later_are_found(self, seller: Member) -> None:
        other = make_member("Ona again")
        give_profile(seller.id)
        give_profile(other.id)
        assert review_shared_numbers(now=NOON) == 0
        give_profile(other.id, person(first_name="Jonas", last_name="Petraitis"), version=1)
        assert list(iter_shared_persons()) == [tuple(sorted((seller.id, other.id)))]
        rung_review()
        assert (check_of(other).kind, check_of(other).status) == ("shared_tin", "pending")
        assert list(iter_shared_persons()) == []
        assert review_shared_numbers(now=NOON) == 0

    def test_have_no_key_without_a_number(self, seller: Member) -> None:
        give_profile(seller.id, person(tins=(), has_no_tin=True, birth_city="Kaunas", birth_country="LT"))
        assert list_tax_subjects([seller.id])[seller.id].person_key is None
        assert list_tax_subjects([make_member("new").id]) == {}
