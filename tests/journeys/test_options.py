"""OPTIONS of what answers documents: JSON, however the document was asked for."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from tests.factories.members import make_member

ORDER = "01J00000000000000000000000"

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.mark.parametrize(
    "path", ["balance/statements/2026-10", "tax-statements/2025", f"orders/{ORDER}/label"]
)
@pytest.mark.parametrize("query", ["", "?format=pdf"])
def test_is_json(path: str, query: str) -> None:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(make_member())
    answer = client.options(f"/api/v1/{path}{query}", headers={"Accept": "application/pdf"})
    assert answer["Content-Type"].partition(";")[0] in ("application/json", "application/problem+json")
    assert answer.status_code in (200, 400)
