"""Whether photos and texts may be learned from: off, given, withdrawn, and never forgotten that it was."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from members import queries, services
from members.models import Member, TrainingConsent
from tests.members.visitor import Visitor

ME = "/api/v1/me"
TEXT = settings.TRAINING_CONSENT_VERSION


def say(visitor: Visitor, **consent: Any) -> Any:
    etag = visitor.get(ME).headers["ETag"]
    return visitor.patch(ME, {"training_consent": consent}, **{"If-Match": etag})


def history(member: Member) -> list[tuple[bool, str]]:
    rows = TrainingConsent.objects.filter(member=member).order_by("said_at", "id")
    return list(rows.values_list("agreed", "text_version"))


class TestConsent:
    def test_is_off_until_the_member_agrees(self, as_ona: Visitor) -> None:
        assert as_ona.get(ME).json()["training_consent"] == {
            "agreed": False,
            "text_version": "",
            "since_at": None,
            "current_text_version": TEXT,
        }

    def test_is_given_and_withdrawn_and_its_history_stays(self, as_ona: Visitor, ona: Member) -> None:
        given = say(as_ona, agreed=True, text_version=TEXT).json()["training_consent"]
        assert (given["agreed"], given["text_version"]) == (True, TEXT)
        assert given["since_at"] is not None
        assert queries.list_training_consents([ona.id]) == {ona.id: TEXT}

        withdrawn = say(as_ona, agreed=False).json()["training_consent"]

        assert (withdrawn["agreed"], withdrawn["since_at"]) == (False, None)
        assert queries.list_training_consents([ona.id]) == {}
        assert history(ona) == [(True, TEXT), (False, TEXT)]
        assert set(queries.last_withdrawals([ona.id])) == {ona.id}

    def test_said_twice_is_said_once(self, as_ona: Visitor, ona: Member) -> None:
        first = say(as_ona, agreed=True, text_version=TEXT)
        again = say(as_ona, agreed=True, text_version=TEXT)
        assert again.json() == first.json()
        say(as_ona, agreed=False)
        say(as_ona, agreed=False)
        assert history(ona) == [(True, TEXT), (False, TEXT)]

    @pytest.mark.parametrize("shown", [{}, {"text_version": "2020-01"}])
    def test_to_another_text_than_the_current_one_is_refused(
        self, as_ona: Visitor, ona: Member, shown: dict[str, str]
    ) -> None:
        refused = say(as_ona, agreed=True, **shown)
        assert refused.status_code == 422
        (problem,) = refused.json()["errors"]
        assert problem["pointer"] == "/training_consent/text_version"
        assert problem["code"] == "consent_text_outdated"
        assert not history(ona)

    def test_ends_with_the_account(self, as_ona: Visitor, ona: Member) -> None:
        say(as_ona, agreed=True, text_version=TEXT)
        services.close_account(member_id=ona.id, now=timezone.now())
        assert queries.list_training_consents([ona.id]) == {}
        assert history(ona) == [(True, TEXT), (False, TEXT)]


class TestDatabase:
    def test_names_the_text(self, ona: Member) -> None:
        # MariaDB reports a failed CHECK as an operational error.
        failures = (IntegrityError, OperationalError)
        with pytest.raises(failures, match="member_consent_names_its_text"), transaction.atomic():
            Member.objects.filter(id=ona.id).update(training_consent_at=timezone.now())
        with pytest.raises(failures, match="consent_names_its_text"), transaction.atomic():
            TrainingConsent.objects.create(member=ona, agreed=True, text_version="", said_at=timezone.now())
