"""The OpenAPI document and its page: complete, valid, the same for everyone, served without the network."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from rest_framework.test import APIClient

from tests.foundation.test_problems import problem_of


@pytest.fixture(autouse=True)
def _house(settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"


@pytest.fixture
def document(stranger: APIClient) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        stranger.get("/api/schema", headers={"Accept": "application/json"}).content
    )
    return found


class TestDocument:
    def test_is_valid_openapi_3_1(self, document: dict[str, Any]) -> None:
        assert document["openapi"].startswith("3.1")
        OpenAPIV31SpecValidator(document).validate()

    def test_is_the_same_as_yaml(self, stranger: APIClient, document: dict[str, Any]) -> None:
        answer = stranger.get("/api/schema")
        assert answer["Content-Type"] == "application/vnd.oai.openapi"
        assert yaml.safe_load(answer.content) == document

    def test_is_made_once(self, stranger: APIClient, django_assert_num_queries: Any) -> None:
        first, again = stranger.get("/api/schema").content, stranger.get("/api/schema").content
        assert first is again

    def test_is_limited(self, stranger: APIClient) -> None:
        assert stranger.get("/api/schema")["RateLimit-Policy"].startswith('"stranger"')

    def test_in_another_form_is_refused_as_json(self, stranger: APIClient) -> None:
        problem_of(stranger.get("/api/schema", headers={"Accept": "text/html"}), 406, "not_acceptable")

    def test_has_problems_for_every_refusal(self, document: dict[str, Any]) -> None:
        shared = document["components"]["responses"]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                for status, response in operation["responses"].items():
                    if "$ref" in response:
                        response = shared[response["$ref"].rpartition("/")[2]]
                    if status >= "400":
                        assert list(response["content"]) == ["application/problem+json"], (
                            method,
                            path,
                            status,
                        )

    def test_describes_every_operation(self, document: dict[str, Any]) -> None:
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                assert operation.get("summary"), (method, path)
                assert {"400", "401", "429", "503"} <= set(operation["responses"]), (method, path)
                names = {parameter["name"] for parameter in operation.get("parameters", [])}
                assert ("Idempotency-Key" in names) == (method == "post"), (method, path)

    def test_closes_every_body(self, document: dict[str, Any]) -> None:
        for name, schema in document["components"]["schemas"].items():
            if name.endswith("Request") and schema.get("type") == "object":
                assert schema["additionalProperties"] is False, name

    def test_tags_are_described(self, document: dict[str, Any]) -> None:
        used = {
            tag
            for operations in document["paths"].values()
            for op in operations.values()
            for tag in op["tags"]
        }
        assert used <= {tag["name"] for tag in document["tags"]}

    def test_points_to_the_account_endpoints(self, stranger: APIClient, document: dict[str, Any]) -> None:
        answer = stranger.get(document["externalDocs"]["url"])
        assert "/_allauth/app/v1/auth/login" in answer.json()["paths"]


class TestPage:
    def test_loads_nothing_from_elsewhere(self, stranger: APIClient) -> None:
        page = stranger.get("/api/docs").content.decode()
        addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert any("swagger-ui-bundle.js" in address for address in addresses)
        assert all(address.startswith("/static/") for address in addresses), addresses

    def test_finds_its_scripts_here(self, stranger: APIClient) -> None:
        from django.contrib.staticfiles import finders

        page = stranger.get("/api/docs").content.decode()
        for address in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
            assert finders.find(address), address
