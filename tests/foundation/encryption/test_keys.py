"""ENCRYPTION_KEYS and BLIND_INDEX_KEYS: read, made once for the embedded default, refused where shared."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from config.env import ConfigurationError
from config.keys import keys_of
from tests.repository.sources import REPOSITORY

KEY, OTHER = base64.b64encode(b"k" * 32).decode(), base64.b64encode(b"o" * 32).decode()


def read(*given: str, file: Path = Path("unused"), may_generate: bool = False) -> dict[str, bytes]:
    return keys_of("ENCRYPTION_KEYS", list(given), file=file, may_generate=may_generate)


class TestKeys:
    def test_are_read_in_order(self) -> None:
        assert list(read(f"2026b:{KEY}", f"2026a:{OTHER}").items()) == [
            ("2026b", b"k" * 32),
            ("2026a", b"o" * 32),
        ]

    @pytest.mark.parametrize(
        ("given", "complaint"),
        [
            ([KEY], "the id of key 1"),
            ([f"a:{KEY}", f":{OTHER}"], "the id of key 2"),
            ([f"Big_Id:{KEY}"], "the id of key 1"),
            ([f"a:{KEY}", f"a:{OTHER}"], "two keys have the id 'a'"),
            ([f"a:{KEY}", f"b:{KEY}"], "under two ids"),
            ([f"a:{KEY[:-4]}"], "32 bytes"),
            (["a:not base 64"], "32 bytes"),
            ([], "is empty"),
        ],
    )
    def test_that_cannot_be_used_stop_the_start_and_are_not_shown(
        self, given: list[str], complaint: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=complaint) as raised:
            read(*given)
        assert KEY not in str(raised.value)

    def test_are_made_once_for_the_embedded_default(self, tmp_path: Path) -> None:
        file = tmp_path / "encryption_keys"
        made = read(file=file, may_generate=True)
        assert list(made) == ["local"]
        assert len(made["local"]) == 32
        assert file.stat().st_mode & 0o777 == 0o600
        assert read(file=file, may_generate=True) == made


def start(tmp_path: Path, *command: str, **environment: str) -> Any:
    clean = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "PRELOVED_HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=REPOSITORY,
        env=clean | {"SECRET_KEY": "not-a-secret-" + "0" * 50} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


class TestServerMode:
    def test_with_https_does_not_start_without_keys(self, tmp_path: Path) -> None:
        done = start(tmp_path, "check", PUBLIC_URL="https://preloved.example")
        assert done.returncode != 0
        assert "ENCRYPTION_KEYS is empty" in done.stderr
        assert not (tmp_path / "encryption_keys").exists()

    def test_the_two_kinds_of_keys_are_not_the_same(self, tmp_path: Path) -> None:
        done = start(tmp_path, "check", ENCRYPTION_KEYS=f"a:{KEY}", BLIND_INDEX_KEYS=f"b:{KEY}")
        assert "each needs its own" in done.stderr

    def test_the_deploy_check_refuses_keys_that_a_machine_made_for_itself(self, settings: Any) -> None:
        settings.SERVER_MODE = True
        settings.ENCRYPTION_KEYS = {"local": b"1" * 32}
        with pytest.raises(SystemCheckError, match=r"preloved\.E001") as raised:
            call_command("check", "--deploy", "--tag", "security")
        assert "BLIND_INDEX_KEYS" not in str(raised.value)
        settings.SERVER_MODE = False
        call_command("check", "--deploy", "--tag", "security")


class TestRotateEncryptionKeysCommand:
    def test_refuses_a_batch_of_nothing(self) -> None:
        with pytest.raises(CommandError, match="1 or more"):
            call_command("rotate_encryption_keys", "--batch", "0")
