"""The probe views and who asks. Imports are inside: pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

ANNA, BORIS = "0" * 25 + "A", "0" * 25 + "B"


@pytest.fixture(autouse=True)
def _probe(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.foundation.probe"


@pytest.fixture
def anna() -> APIClient:
    from rest_framework.test import APIClient

    return APIClient(raise_request_exception=False, headers={"Member": ANNA})


@pytest.fixture
def boris() -> APIClient:
    from rest_framework.test import APIClient

    return APIClient(raise_request_exception=False, headers={"Member": BORIS})


@pytest.fixture
def stranger() -> APIClient:
    from rest_framework.test import APIClient

    return APIClient(raise_request_exception=False)
