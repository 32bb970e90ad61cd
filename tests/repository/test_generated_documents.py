"""Documents that are generated say what the code does now; `make schema` writes them."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command

from tests.repository.sources import REPOSITORY


class TestOpenApiDocument:
    def test_is_up_to_date(self, tmp_path: Path) -> None:
        fresh = tmp_path / "openapi.yaml"
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(fresh))
        committed = REPOSITORY / "docs" / "api" / "openapi.yaml"
        assert committed.read_text(encoding="utf-8") == fresh.read_text(encoding="utf-8"), "run make schema"


class TestLifecycles:
    def test_are_up_to_date(self) -> None:
        call_command("lifecycles", "--check")
