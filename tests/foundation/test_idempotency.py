"""A POST sent twice has one effect and one answer; sent at once, after a crash, or after a refusal too."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from foundation import tasks
from foundation.api import idempotency
from foundation.errors import Conflict
from foundation.models import IdempotencyRecord
from tests.foundation.conftest import ANNA
from tests.foundation.probe import EffectView
from tests.foundation.test_problems import problem_of

EFFECTS = "/api/v1/effects"
BAG = {"name": "bag"}

pytestmark = pytest.mark.django_db


def effects() -> int:
    return Session.objects.count()


def key(text: str = "k1") -> dict[str, str]:
    return {"Idempotency-Key": text}


@pytest.fixture(autouse=True)
def _calm_middle() -> Iterator[None]:
    yield
    EffectView.middle = staticmethod(lambda request: None)


class TestReplay:
    def test_gives_the_first_answer_again_and_says_so(self, anna: APIClient) -> None:
        first = anna.post(EFFECTS, BAG, headers=key())
        again = anna.post(EFFECTS, BAG, headers=key())
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
        assert "Idempotent-Replayed" not in first
        assert again["Idempotent-Replayed"] == "true"
        assert effects() == 1

    def test_is_for_the_same_content_however_it_is_written(self, anna: APIClient) -> None:
        first = anna.post(EFFECTS, {"name": "bag", "count": 1}, headers=key())
        again = anna.post(EFFECTS, {"count": 1, "name": "bag"}, headers=key('"k1"'))
        assert first.json() == again.json()
        assert effects() == 1

    def test_without_a_key_is_a_second_effect(self, anna: APIClient) -> None:
        anna.post(EFFECTS, BAG)
        anna.post(EFFECTS, BAG)
        assert effects() == 2
        assert not IdempotencyRecord.objects.exists()

    def test_belongs_to_one_member_one_path_and_one_key(self, anna: APIClient, boris: APIClient) -> None:
        anna.post(EFFECTS, BAG, headers=key())
        boris.post(EFFECTS, BAG, headers=key())
        anna.post("/api/v1/payments", BAG, headers=key())
        anna.post(EFFECTS, BAG, headers=key("K1"))
        assert effects() == 4

    def test_with_another_content_is_refused(self, anna: APIClient) -> None:
        anna.post(EFFECTS, BAG, headers=key())
        problem_of(anna.post(EFFECTS, {"name": "hat"}, headers=key()), 422, "idempotency_key_reused")
        assert effects() == 1

    def test_of_an_answer_without_body(self, anna: APIClient) -> None:
        EffectView.middle = staticmethod(lambda request: Response(status=204))
        first, again = (anna.post(EFFECTS, BAG, headers=key()) for _ in range(2))
        assert first.status_code == again.status_code == 204
        assert again.content == b""
        assert effects() == 1


class TestUploads:
    def photo(self, content: bytes = b"pixels") -> dict[str, Any]:
        # Every request gets a boundary of its own.
        return {"photo": SimpleUploadedFile(f"{uuid.uuid4()}.jpg", content)}

    def upload(self, client: APIClient, data: dict[str, Any]) -> Any:
        return client.post("/api/v1/uploads", data, format="multipart", headers=key())

    def test_are_the_same_when_their_bytes_are(self, anna: APIClient) -> None:
        first, again = self.upload(anna, self.photo()), self.upload(anna, self.photo())
        assert first.json() == again.json() == {"bytes": 6}
        assert again["Idempotent-Replayed"] == "true"
        assert effects() == 1

    def test_of_other_bytes_are_another_request(self, anna: APIClient) -> None:
        self.upload(anna, self.photo())
        problem_of(self.upload(anna, self.photo(b"others")), 422, "idempotency_key_reused")

    def test_are_no_text_of_the_same_content(self, anna: APIClient) -> None:
        self.upload(anna, self.photo())
        problem_of(self.upload(anna, {"photo": "pixels"}), 422, "idempotency_key_reused")

    def test_are_read_from_the_start_however_large(self, anna: APIClient, settings: Any) -> None:
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
        assert self.upload(anna, self.photo(b"x" * 100_000)).json() == {"bytes": 100_000}


class TestKey:
    @pytest.mark.parametrize("text", ["", "a b", "é", "x" * 256, '""', 'a"b', '"ab', 'ab"'])
    def test_that_is_unusable(self, anna: APIClient, text: str) -> None:
        problem_of(anna.post(EFFECTS, BAG, headers=key(text)), 400, "idempotency_key_invalid")
        assert effects() == 0

    def test_may_be_long(self, anna: APIClient) -> None:
        assert anna.post(EFFECTS, BAG, headers=key("x" * 255)).status_code == 201

    def test_is_required_where_money_moves(self, anna: APIClient) -> None:
        problem_of(anna.post("/api/v1/payments", BAG), 400, "idempotency_key_required")
        assert anna.post("/api/v1/payments", BAG, headers=key()).status_code == 201

    def test_is_not_asked_of_strangers(self, stranger: APIClient) -> None:
        problem_of(stranger.post("/api/v1/payments", BAG), 401, "authentication_required")


class TestRefusal:
    def test_leaves_no_effect_and_a_free_key(self, anna: APIClient) -> None:
        problem_of(anna.post(EFFECTS, {"name": 1}, headers=key()), 400, "invalid_request")
        assert anna.post(EFFECTS, BAG, headers=key()).status_code == 201
        assert effects() == 1

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        ("fault", "status"), [(Conflict("Closed."), 409), (RuntimeError("bug"), 500), (SystemExit(), None)]
    )
    def test_in_the_middle_undoes_what_came_before(
        self, anna: APIClient, fault: BaseException, status: int | None
    ) -> None:
        def fail(request: Request) -> Response:
            raise fault

        EffectView.middle = staticmethod(fail)
        if status is None:
            with pytest.raises(SystemExit):
                anna.post(EFFECTS, BAG, headers=key())
        else:
            assert anna.post(EFFECTS, BAG, headers=key()).status_code == status
        assert effects() == 0
        assert not IdempotencyRecord.objects.exists()

    def test_of_a_key_in_use_says_when_to_come_back(self, anna: APIClient) -> None:
        answers: list[Any] = []
        EffectView.middle = staticmethod(
            lambda request: answers.append(anna.post(EFFECTS, BAG, headers=key()))
        )
        assert anna.post(EFFECTS, BAG, headers=key()).status_code == 201
        problem_of(answers[0], 409, "idempotency_key_in_use")
        assert 1 <= int(answers[0]["Retry-After"]) <= idempotency.LEASE.total_seconds()
        assert effects() == 1


class TestPowerCut:
    """A process that dies half-way leaves a running row; its effect was never committed."""

    def cut_short(self, anna: APIClient, *, ago: timedelta) -> IdempotencyRecord:
        anna.post(EFFECTS, BAG, headers=key())
        Session.objects.all().delete()
        IdempotencyRecord.objects.update(
            status=IdempotencyRecord.RUNNING,
            response_status=None,
            response_body="",
            lease_until=timezone.now() - ago,
        )
        return IdempotencyRecord.objects.get()

    def test_is_taken_over_once_the_lease_ran_out(self, anna: APIClient) -> None:
        left = self.cut_short(anna, ago=timedelta(seconds=1))
        assert anna.post(EFFECTS, BAG, headers=key()).status_code == 201
        assert effects() == 1
        record = IdempotencyRecord.objects.get()
        assert (record.status, record.pk) == (IdempotencyRecord.DONE, left.pk)
        assert record.owner != left.owner

    def test_is_not_taken_over_before(self, anna: APIClient) -> None:
        self.cut_short(anna, ago=timedelta(seconds=-30))
        problem_of(anna.post(EFFECTS, BAG, headers=key()), 409, "idempotency_key_in_use")
        assert effects() == 0

    def test_is_not_taken_over_by_another_request(self, anna: APIClient) -> None:
        self.cut_short(anna, ago=timedelta(seconds=1))
        problem_of(anna.post(EFFECTS, {"name": "hat"}, headers=key()), 422, "idempotency_key_reused")

    @pytest.mark.django_db(transaction=True)
    def test_of_which_only_the_lease_was_lost_undoes_itself(self, anna: APIClient) -> None:
        def outlive_the_lease(request: Request) -> None:
            IdempotencyRecord.objects.update(owner="0" * 26)

        EffectView.middle = staticmethod(outlive_the_lease)
        problem_of(anna.post(EFFECTS, BAG, headers=key()), 409, "idempotency_key_in_use")
        assert effects() == 0


class TestDeadlock:
    @pytest.mark.django_db(transaction=True)
    def test_in_the_effect_is_tried_again_as_a_whole(self, anna: APIClient) -> None:
        tries: list[int] = []

        def deadlock_once(request: Request) -> None:
            tries.append(effects())
            if len(tries) == 1:
                raise OperationalError(1213, "Deadlock found")

        EffectView.middle = staticmethod(deadlock_once)
        assert anna.post(EFFECTS, BAG, headers=key()).status_code == 201
        assert tries == [1, 1]
        assert effects() == 1


class TestRecord:
    def record(self, **facts: Any) -> IdempotencyRecord:
        now = timezone.now()
        given = {"member_id": ANNA, "fence": "f", "fingerprint": "p", "owner": ANNA, "lease_until": now}
        return IdempotencyRecord(**given | {"created_at": now} | facts)

    def test_idempotency_one_per_member_and_key(self) -> None:
        self.record().save(force_insert=True)
        self.record(fence="F").save(force_insert=True)
        with pytest.raises(IntegrityError), transaction.atomic():
            self.record().save(force_insert=True)

    @pytest.mark.parametrize("facts", [{"status": "done"}, {"response_status": 201}, {"status": "odd"}])
    def test_idempotency_done_has_answer(self, facts: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            self.record(**facts).save(force_insert=True)

    def test_is_purged_after_it_was_kept_long_enough(self) -> None:
        now = timezone.now()
        self.record(fence="old", created_at=now - idempotency.KEEP - timedelta(seconds=1)).save()
        self.record(fence="young", created_at=now - idempotency.KEEP + timedelta(minutes=1)).save()
        tasks.purge_idempotency_records()
        assert [record.fence for record in IdempotencyRecord.objects.all()] == ["young"]
        assert str(IdempotencyRecord.objects.get()) == "young running"
