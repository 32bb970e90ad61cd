"""A client of the account endpoints and the API, as a mobile app is one."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail
from django.test import Client

ACCOUNTS = "/_allauth/app/v1"
PASSWORD = "correct horse 7"
_CODE = re.compile(r"^([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})$", re.MULTILINE)


class Visitor:
    """Keeps the tokens that it is given, and sends the newest."""

    def __init__(self) -> None:
        self.client = Client()
        self.session_token: str | None = None
        self.access_token: str | None = None
        self.refresh_token: str | None = None

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response; tokens in its `meta` or `data` are kept."""
        sent = dict(headers)
        if path.endswith("/tokens/refresh"):
            pass  # the refresh token in the body says it all
        elif self.access_token:
            sent.setdefault("Authorization", f"Bearer {self.access_token}")
        elif self.session_token and path.startswith("/_allauth/"):
            sent.setdefault("X-Session-Token", self.session_token)
        response = self.client.generic(
            method,
            path,
            b"" if body is None else (body if isinstance(body, bytes) else _json(body)),
            content_type="application/json",
            headers=sent,
        )
        if path.startswith("/_allauth/") and response.headers.get("Content-Type") == "application/json":
            self._keep(response.json())
        return response

    def _keep(self, answer: dict[str, Any]) -> None:
        data = answer.get("data")
        for source in (answer.get("meta") or {}, data if isinstance(data, dict) else {}):
            self.session_token = source.get("session_token", self.session_token)
            self.access_token = source.get("access_token", self.access_token)
            self.refresh_token = source.get("refresh_token", self.refresh_token)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("DELETE", path, body, **headers)

    # The steps of an account's life.

    def sign_up(self, email: str = "ona@example.test", **fields: Any) -> Any:
        body = {
            "email": email,
            "password": PASSWORD,
            "display_name": "Ona",
            "country": "LT",
            "accept_terms": True,
        }
        return self.post(f"{ACCOUNTS}/auth/signup", body | fields)

    def verify_email(self, code: str | None = None) -> Any:
        return self.post(f"{ACCOUNTS}/auth/email/verify", {"key": code or last_code()})

    def sign_in(self, email: str = "ona@example.test", password: str = PASSWORD) -> Any:
        return self.post(f"{ACCOUNTS}/auth/login", {"email": email, "password": password})

    def refresh(self, token: str | None = None) -> Any:
        return self.post(f"{ACCOUNTS}/tokens/refresh", {"refresh_token": token or self.refresh_token})

    def reauthenticate(self, password: str = PASSWORD) -> Any:
        """Say the password again, as changes to how one signs in ask for."""
        return self.post(f"{ACCOUNTS}/auth/reauthenticate", {"password": password})

    def sign_out(self) -> Any:
        return self.delete(f"{ACCOUNTS}/auth/session")


def last_code() -> str:
    """The code in the newest mail."""
    match = _CODE.search(str(mail.outbox[-1].body))
    assert match is not None, mail.outbox[-1].body
    return match[1]


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()
