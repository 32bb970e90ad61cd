"""Evidence: what is taken, what is refused by its bytes, and who may look at it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rest_framework.test import APIClient

from dac7 import evidence
from dac7.errors.profiles import (
    ExclusionNotPossible,
    ReasonRequired,
    TaxDocumentNotFound,
    TaxDocumentStatusConflict,
    TaxProfileNotFound,
)
from dac7.models import AccessLog, TaxDocument, TaxProfile
from dac7.queries.documents import MAX_DOCUMENTS
from dac7.services.documenting import STORAGE, accept_document, refuse_document
from dac7.services.profiling import exclude_entity
from dac7.services.revealing import reveal_document, reveal_dossier
from foundation.errors import DomainError
from members.models import Member
from tests.dac7 import evidence_files as files
from tests.factories.banking import LT_IBAN, make_bank_account
from tests.factories.members import make_member
from tests.factories.money import NOON
from tests.factories.tax import LT_TIN, company, give_profile

URL = "/api/v1/tax-documents"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def client_of(member: Member) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(member)
    return client


@pytest.fixture
def as_seller(seller: Member) -> APIClient:
    return client_of(seller)


def send(client: APIClient, content: bytes, name: str = "", media_type: str = "", **fields: Any) -> Any:
    upload = SimpleUploadedFile(name or "letter", content, media_type or "application/octet-stream")
    return client.post(URL, {"kind": "tin", "file": upload} | fields, format="multipart")


@pytest.mark.django_db
class TestSend:
    def test_stores_a_pdf_as_it_is_sealed(self, as_seller: APIClient, seller: Member) -> None:
        content = files.pdf()
        answer = send(as_seller, content, "letter.pdf", "application/pdf")
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert (body["media_type"], body["size"], body["status"]) == (
            "application/pdf",
            len(content),
            "received",
        )
        document = TaxDocument.objects.get(member=seller)
        with storages[STORAGE].open(document.file_name) as file:
            stored = file.read()
        assert b"PDF" not in stored
        media_type, opened = reveal_document(
            document_id=document.id, staff_id="01STAFF", reason="check of the TIN", now=NOON
        )
        assert (media_type, opened) == ("application/pdf", content)
        assert as_seller.get(answer["Location"]).json() == body
        assert as_seller.get(URL).json() == {"results": [body]}

    @pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
    def test_draws_pictures_anew(self, as_seller: APIClient, format_name: str) -> None:
        content = files.picture(format_name)
        assert b"home address" in content
        body = send(as_seller, content, f"letter.{format_name.lower()}").json()
        _, opened = reveal_document(document_id=body["id"], staff_id="01STAFF", reason="check", now=NOON)
        assert b"home address" not in opened
        assert Image.open(io.BytesIO(opened)).size == (60, 40)
        assert body["media_type"] == "image/jpeg"

    @pytest.mark.parametrize(
        ("content", "name", "media_type", "status", "code"),
        [
            (b"<html><script>", "letter.pdf", "application/pdf", 415, "tax_document_type_not_accepted"),
            (b"MZ\x90", "letter.jpg", "image/jpeg", 415, "tax_document_type_not_accepted"),
            (files.pdf(), "letter.jpg", "", 415, "tax_document_type_mismatch"),
            (files.picture(), "", "application/pdf", 415, "tax_document_type_mismatch"),
            (files.picture()[:300], "letter.jpg", "", 422, "tax_document_unreadable"),
            (b"%PDF-1.7\nnothing else", "letter.pdf", "", 422, "tax_document_unreadable"),
            (files.pdf_with_password(), "letter.pdf", "", 422, "tax_document_encrypted"),
            (files.pdf_with_script(), "letter.pdf", "", 422, "tax_document_has_active_content"),
            (files.pdf_with_attachment(), "letter.pdf", "", 422, "tax_document_has_active_content"),
            (files.pdf_with_action("/AA", "/URI"), "letter.pdf", "", 422, "tax_document_has_active_content"),
            (
                files.pdf_with_action("/Next", "/Launch"),
                "letter.pdf",
                "",
                422,
                "tax_document_has_active_content",
            ),
            (b"%PDF-" + b"x" * evidence.MAX_BYTES, "letter.pdf", "", 413, "tax_document_too_large"),
        ],
    )
    def test_refuses_what_is_not_what_it_says(
        self, as_seller: APIClient, content: bytes, name: str, media_type: str, status: int, code: str
    ) -> None:
        answer = send(as_seller, content, name, media_type)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert not TaxDocument.objects.exists()

    def test_takes_one_file_and_a_known_kind(self, as_seller: APIClient) -> None:
        for fields in ({"kind": "love"}, {"kind": ""}, {"more": "x"}):
            answer = send(as_seller, files.pdf(), **fields)
            assert (answer.status_code, answer.json()["code"]) == (400, "tax_document_missing")
        empty = as_seller.post(URL, {"kind": "tin"}, format="multipart")
        assert empty.json()["code"] == "tax_document_missing"

    def test_ends_somewhere(self, as_seller: APIClient, seller: Member) -> None:
        send(as_seller, files.pdf())
        first = TaxDocument.objects.get()
        for _ in range(MAX_DOCUMENTS - 1):
            TaxDocument.objects.create(
                member=seller, kind="tin", media_type="x", size=1, uploaded_at=NOON, file_key=b"k"
            )
        answer = send(as_seller, files.pdf())
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_tax_documents")
        assert TaxDocument.objects.filter(id=first.id).exists()

    def test_leaves_no_file_without_a_row(
        self, as_seller: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        saved: list[str] = []
        storage = storages[STORAGE]
        save = storage.save

        def save_and_tell(name: str, content: Any) -> str:
            saved.append(save(name, content))
            return saved[-1]

        def fail(*_: Any, **__: Any) -> None:
            raise DatabaseError

        monkeypatch.setattr(storage, "save", save_and_tell)
        monkeypatch.setattr(TaxDocument, "save", fail)
        assert send(as_seller, files.pdf()).status_code == 500
        assert len(saved) == 1
        assert not storage.exists(saved[0])

    def test_is_answered_503_when_the_disk_is_full(
        self, as_seller: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(FileSystemStorage, "_save", full)
        answer = send(as_seller, files.pdf())
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (
            503,
            "unavailable",
            "30",
        )
        assert not TaxDocument.objects.exists()

    def test_is_seen_by_its_owner_only(self, as_seller: APIClient) -> None:
        location = send(as_seller, files.pdf())["Location"]
        answer = client_of(make_member("Jonas")).get(location)
        assert (answer.status_code, answer.json()["code"]) == (404, "tax_document_not_found")


class TestInspection:
    def test_bounds_the_pixels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(evidence, "MAX_PIXELS", 100)
        with pytest.raises(DomainError) as refusal:
            evidence.inspect(files.picture())
        assert refusal.value.code == "tax_document_too_large"

    @pytest.mark.parametrize(("name", "most"), [("MAX_PAGES", 0), ("MAX_OBJECTS", 5)])
    def test_bounds_a_pdf(self, monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
        monkeypatch.setattr(evidence, name, most)
        with pytest.raises(DomainError) as refusal:
            evidence.inspect(files.pdf())
        assert refusal.value.code == "tax_document_unreadable"

    @given(
        tail=st.binary(max_size=300),
        head=st.sampled_from([b"%PDF-1.4\n", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]),
    )
    def test_answers_any_bytes(self, head: bytes, tail: bytes) -> None:
        with pytest.raises(DomainError):
            evidence.inspect(head + tail)


@pytest.mark.django_db
class TestDecide:
    def test_is_told_to_the_seller_once(self, as_seller: APIClient) -> None:
        sent = send(as_seller, files.pdf()).json()["id"]
        other = send(as_seller, files.pdf()).json()["id"]
        refuse_document(document_id=sent, staff_id="01STAFF", note="the number is cut off", now=NOON)
        accept_document(document_id=other, staff_id="01STAFF", note="fine", now=NOON)
        found = {row["id"]: (row["status"], row["reason"]) for row in as_seller.get(URL).json()["results"]}
        assert found == {sent: ("refused", "the number is cut off"), other: ("accepted", "fine")}
        with pytest.raises(TaxDocumentStatusConflict) as conflict:
            accept_document(document_id=sent, staff_id="01STAFF", note="fine", now=NOON)
        assert conflict.value.code == "tax_document_status_conflict"

    def test_asks_why_and_of_what(self, as_seller: APIClient) -> None:
        sent = send(as_seller, files.pdf()).json()["id"]
        with pytest.raises(ReasonRequired):
            accept_document(document_id=sent, staff_id="01STAFF", note="", now=NOON)
        with pytest.raises(TaxDocumentNotFound):
            accept_document(document_id=NOBODY, staff_id="01STAFF", note="x", now=NOON)


@pytest.mark.django_db
class TestReveal:
    def test_is_logged_with_a_reason_before_anything_is_shown(self, seller: Member) -> None:
        give_profile(seller.id)
        make_bank_account(seller.id, holder_name="Jonas Petraitis")
        dossier = reveal_dossier(member_id=seller.id, staff_id="01STAFF", reason="letter of VMI", now=NOON)
        [tin] = dossier.tins
        assert (tin.number, tin.state, tin.level) == (LT_TIN, "LT", "checksum")
        assert dossier.account is not None
        assert (dossier.account.iban, dossier.account.differs) == (LT_IBAN, True)
        assert dossier.name == "Ona Kazlauskienė"
        log = AccessLog.objects.get()
        assert (log.member_id, log.staff_id, log.what, log.reason) == (
            *(seller.id, "01STAFF"),
            *("dossier", "letter of VMI"),
        )
        for secret in (LT_TIN, LT_IBAN, "Kazlauskienė", "Vilnius", "1990"):
            assert secret not in repr(dossier)

    def test_needs_a_reason_and_a_dossier(self, seller: Member) -> None:
        with pytest.raises(TaxProfileNotFound):
            reveal_dossier(member_id=seller.id, staff_id="01STAFF", reason="x", now=NOON)
        give_profile(seller.id)
        with pytest.raises(ReasonRequired):
            reveal_dossier(member_id=seller.id, staff_id="01STAFF", reason=" ", now=NOON)
        with pytest.raises(TaxDocumentNotFound):
            reveal_document(document_id=NOBODY, staff_id="01STAFF", reason="x", now=NOON)
        assert not AccessLog.objects.exists()


@pytest.mark.django_db
class TestExclude:
    def test_takes_an_entity_out_with_a_reason(self, seller: Member) -> None:
        give_profile(seller.id, company())
        exclude_entity(member_id=seller.id, exclusion="listed", staff_id="01STAFF", note="Nasdaq", now=NOON)
        assert TaxProfile.objects.get().exclusion == "listed"
        with pytest.raises(ReasonRequired):
            exclude_entity(member_id=seller.id, exclusion="", staff_id="01STAFF", note="", now=NOON)

    def test_is_not_possible_for_people(self, seller: Member) -> None:
        with pytest.raises(TaxProfileNotFound):
            exclude_entity(member_id=seller.id, exclusion="listed", staff_id="01STAFF", note="x", now=NOON)
        give_profile(seller.id)
        with pytest.raises(ExclusionNotPossible) as refusal:
            exclude_entity(member_id=seller.id, exclusion="listed", staff_id="01STAFF", note="x", now=NOON)
        assert refusal.value.code == "tax_exclusion_not_possible"
