"""Saying who one is, once, before the first withdrawal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from balance.errors import InvalidIdentity
from balance.models import Identity
from balance.services.banking import give_identity
from foundation.errors import PreconditionFailed
from members.models import Member
from tests.factories.banking import activate, details
from tests.factories.money import NOON

pytestmark = pytest.mark.django_db

URL = "/api/v1/balance/activation"
ONA = {
    "legal_name": "Ona Kazlauskienė",
    "date_of_birth": "1990-05-17",
    "street": "Gedimino pr. 1",
    "postal_code": "LT-01103",
    "city": "Vilnius",
    "country": "LT",
}


class TestActivation:
    def test_says_what_is_known_before(self, as_seller: APIClient) -> None:
        body = as_seller.get(URL).json()
        assert (body["is_activated"], body["country"], body["legal_name"]) == (False, "LT", None)
        assert set(body) == {*ONA, "is_activated", "given_at", "changed_at"}

    def test_is_given_once(self, as_seller: APIClient) -> None:
        given = as_seller.put(URL, ONA)
        assert (given.status_code, given.json()["is_activated"]) == (200, True)
        read = as_seller.get(URL)
        assert read.json() == given.json()
        assert {name: read.json()[name] for name in ONA} == ONA
        assert as_seller.get(URL, headers={"If-None-Match": read["ETag"]}).status_code == 304

    def test_is_changed_with_if_match(self, as_seller: APIClient) -> None:
        first = as_seller.put(URL, ONA)
        assert as_seller.put(URL, ONA).status_code == 428
        moved = ONA | {"city": "Kaunas"}
        changed = as_seller.put(URL, moved, headers={"If-Match": first["ETag"]})
        assert changed.json()["city"] == "Kaunas"
        assert changed["ETag"] != first["ETag"]
        stale = as_seller.put(URL, ONA, headers={"If-Match": first["ETag"]})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")

    def test_of_two_at_once_one_is_refused(self, seller: Member) -> None:
        activate(seller.id)
        with pytest.raises(PreconditionFailed):
            activate(seller.id)
        with pytest.raises(PreconditionFailed):
            give_identity(member_id=seller.id, details=details(), expected_version=2, now=NOON)

    def test_stores_nothing_readable(self, as_seller: APIClient) -> None:
        as_seller.put(URL, ONA)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM balance_identity")
            row = " ".join(str(bytes(v) if isinstance(v, memoryview) else v) for v in cursor.fetchone())
        for secret in ("Kazlausk", "1990", "Gedimino", "01103", "Vilnius"):
            assert secret not in row
        assert str(Identity.objects.get()) == Identity.objects.get().id

    @pytest.mark.parametrize(
        ("changes", "pointer", "code"),
        [
            ({"legal_name": "Ona"}, "/legal_name", "invalid_legal_name"),
            ({"legal_name": "Ona 2"}, "/legal_name", "invalid_legal_name"),
            ({"date_of_birth": "1890-01-01"}, "/date_of_birth", "implausible_date"),
            ({"date_of_birth": "2999-01-01"}, "/date_of_birth", "implausible_date"),
            ({"postal_code": "?"}, "/postal_code", "invalid_postal_code"),
            ({"country": "XX"}, "/country", "unknown_country"),
        ],
    )
    def test_names_what_is_wrong(
        self, as_seller: APIClient, changes: dict[str, str], pointer: str, code: str
    ) -> None:
        answer = as_seller.put(URL, ONA | changes)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_identity")
        assert [(p["pointer"], p["code"]) for p in answer.json()["errors"]] == [(pointer, code)]

    @pytest.mark.parametrize(
        "changes", [{"date_of_birth": "17.5.1990"}, {"country": "Lithuania"}, {"iban": "x"}, {"city": None}]
    )
    def test_refuses_what_is_no_request(self, as_seller: APIClient, changes: dict[str, Any]) -> None:
        assert as_seller.put(URL, ONA | changes).status_code == 400

    def test_is_for_adults_from_their_birthday_on(self, seller: Member) -> None:
        def give(born: date) -> None:
            ona = replace(details(), date_of_birth=born)
            give_identity(member_id=seller.id, details=ona, expected_version=None, now=NOON)

        with pytest.raises(InvalidIdentity) as refused:
            give(date(2008, 3, 3))
        assert [problem.code for problem in refused.value.errors] == ["too_young"]
        give(date(2008, 3, 2))
