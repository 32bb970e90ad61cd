"""Dependencies: each with its reason, each used, and locked as declared."""

from __future__ import annotations

import ast
import re

import pytest

from tests.repository.sources import REPOSITORY, project, service_modules, syntax_of

# A requirement's top-level module, where it is not the requirement's name.
MODULES = {
    "django-allauth": "allauth",
    "django-storages": "storages",
    "djangorestframework": "rest_framework",
    "drf-spectacular": "drf_spectacular",
    "fontpkg-noto-sans": "fontpkg",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "pillow-heif": "pillow_heif",
    "prometheus-client": "prometheus_client",
    "python-stdnum": "stdnum",
    "python-ulid": "ulid",
}
# Used without an import of ours.
NOT_IMPORTED = {
    "drf-spectacular-sidecar",  # an installed app of static files
    "gunicorn",  # a process of its own
    "tzdata",  # zoneinfo finds it by itself
    "whitenoise",  # a middleware named in the settings
}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {canonical(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements}


def locked(lock: str) -> dict[str, str]:
    text = (REPOSITORY / "requirements" / lock).read_text(encoding="utf-8")
    return {
        canonical(name): version
        for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", text, re.MULTILINE)
    }


def runtime() -> set[str]:
    return names(project()["project"]["dependencies"])


class TestDeclaredDependencies:
    def test_each_has_a_comment_with_its_reason(self) -> None:
        text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
        declared = [*project()["project"]["dependencies"]]
        for extra in project()["project"]["optional-dependencies"].values():
            declared += extra
        without = [r for r in declared if not re.search(re.escape(f'"{r}",') + r"  # \S+ \S+", text)]
        assert not without

    def test_each_of_the_service_is_used(self) -> None:
        imported = set()
        for path in [*service_modules(), *sorted((REPOSITORY / "demo").rglob("*.py"))]:
            for node in ast.walk(syntax_of(path)):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    imported.add(node.module.partition(".")[0])
        # A library may also be installed as an app of Django by its name in the settings.
        settings = (REPOSITORY / "config" / "settings.py").read_text(encoding="utf-8")
        unused = [
            name
            for name in runtime() - NOT_IMPORTED
            if (module := MODULES.get(name, name)) not in imported and f'"{module}' not in settings
        ]
        assert not unused


class TestLocks:
    @pytest.mark.parametrize(
        ("lock", "extras"), [("base.txt", []), ("server.txt", ["server"]), ("dev.txt", ["dev"])]
    )
    def test_hold_everything_declared(self, lock: str, extras: list[str]) -> None:
        declared = runtime()
        for extra in extras:
            declared |= names(project()["project"]["optional-dependencies"][extra])
        assert declared <= set(locked(lock)), "run make lock"

    def test_agree_on_versions(self) -> None:
        base, server, dev = locked("base.txt"), locked("server.txt"), locked("dev.txt")
        assert base.items() <= server.items()
        assert base.items() <= dev.items()
        assert {name: version for name, version in server.items() if name in dev}.items() <= dev.items()

    @pytest.mark.parametrize("lock", ["base.txt", "server.txt", "dev.txt"])
    def test_pin_every_file_by_its_hash(self, lock: str) -> None:
        text = (REPOSITORY / "requirements" / lock).read_text(encoding="utf-8")
        entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
        assert entries
        assert not [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]

    def test_leave_out_what_the_headless_opencv_replaces(self) -> None:
        assert "opencv-python" not in locked("base.txt")
        assert "opencv-python-headless" in locked("base.txt")

    def test_need_no_c_compiler_for_the_embedded_default(self) -> None:
        assert "mysqlclient" not in locked("base.txt")
        assert "mysqlclient" not in locked("dev.txt")
        assert "mysqlclient" in locked("server.txt")
