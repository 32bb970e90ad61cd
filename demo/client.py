"""What a seller's or buyer's app does, step by step, over HTTP only."""

from __future__ import annotations

import email
import email.policy
import re
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

AUTH = "/_allauth/app/v1"


class DemoFailed(Exception):
    """A step did not end as it should; the message says which and what the server answered."""


@dataclass
class Account:
    """A member of this demo, with the credentials that are printed at the end."""

    email: str
    password: str
    token: str = field(default="", repr=False)


class Client:
    """A signed-in (or anonymous) member's app."""

    def __init__(self, base_url: str, mail_folder: Path) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)
        self.mail_folder = mail_folder

    def call(
        self,
        method: str,
        path: str,
        *,
        expect: tuple[int, ...] = (200,),
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """One request. Raises DemoFailed on an unexpected answer; waits when a rate limit says so."""
        while True:
            try:
                response = self.http.request(method, path, headers=headers, **kwargs)
            except httpx.HTTPError as error:
                raise DemoFailed(f"{method} {path}: {error}") from error
            if response.status_code == 429 and 429 not in expect:
                time.sleep(min(int(response.headers.get("Retry-After", "1")), 10))
                continue
            if response.status_code not in expect:
                raise DemoFailed(f"{method} {path} answered {response.status_code}: {response.text[:600]}")
            return response

    def sign_up(self, name: str, country: str) -> Account:
        """Sign up, read the code from the mail, verify: signed in."""
        account = Account(
            email=f"{name.lower()}-{secrets.token_hex(3)}@demo.example", password=secrets.token_urlsafe(12)
        )
        begun = self.call(
            "POST",
            f"{AUTH}/auth/signup",
            json={
                "email": account.email,
                "password": account.password,
                "display_name": name,
                "country": country,
                "accept_terms": True,
            },
            expect=(401,),  # signed up, but the address is not verified yet
        ).json()
        verified = self.call(
            "POST",
            f"{AUTH}/auth/email/verify",
            json={"key": self._code_mailed_to(account.email)},
            headers={"X-Session-Token": begun["meta"]["session_token"]},
        ).json()
        account.token = verified["meta"]["access_token"]
        self.http.headers["Authorization"] = f"Bearer {account.token}"
        return account

    def _code_mailed_to(self, address: str) -> str:
        # Without an SMTP server (EMAIL_URL), mail is written to files; each holds one message.
        for _ in range(50):
            for file in sorted(self.mail_folder.glob("*.log"), reverse=True):
                message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                if address in str(message["To"]):
                    text = message.get_body(("plain",))
                    found = re.search(
                        r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", text.get_content() if text else "", re.M
                    )
                    if found:
                        return found[1]
            time.sleep(0.1)
        raise DemoFailed(f"No verification code was mailed to {address} (looked in {self.mail_folder})")

    def draft(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new draft listing."""
        return dict(self.call("POST", "/api/v1/listings", json=body, expect=(201,)).json())

    def upload(self, listing_id: str, photo: Path) -> dict[str, Any]:
        """One photo, as multipart."""
        with photo.open("rb") as file:
            return dict(
                self.call(
                    "POST",
                    f"/api/v1/listings/{listing_id}/photos",
                    files={"photo": (photo.name, file)},
                    headers={"Idempotency-Key": secrets.token_hex(8)},
                    expect=(201, 202),
                ).json()
            )

    def suggestions(self, listing_id: str, body: dict[str, Any]) -> tuple[dict[str, Any], str, float]:
        """Ask for suggestions and wait for the run to end: the run, its ETag, the seconds it took."""
        started = time.monotonic()
        answer = self.call("POST", f"/api/v1/listings/{listing_id}/suggestions", json=body, expect=(202,))
        where = answer.headers["Location"]
        run = answer.json()
        while run["status"] in ("queued", "running"):
            if time.monotonic() - started > 90:
                raise DemoFailed(f"The suggestions of {listing_id} are still {run['status']} after 90 s")
            answer = self.call(
                "GET",
                where,
                headers={"Prefer": "wait=10", "If-None-Match": answer.headers.get("ETag", "")},
                expect=(200, 304),
            )
            if answer.status_code == 200:
                run = answer.json()
        return run, answer.headers["ETag"], time.monotonic() - started

    def decide(self, run_id: str, etag: str, decisions: list[dict[str, Any]]) -> None:
        """Accept, edit or reject fields of the run that was read with this ETag, all or none."""
        if decisions:
            self.call(
                "POST",
                f"/api/v1/suggestion-runs/{run_id}/decisions",
                json={"decisions": decisions},
                headers={"If-Match": etag},
            )

    def listing(self, listing_id: str) -> tuple[dict[str, Any], str]:
        """A listing and its ETag."""
        answer = self.call("GET", f"/api/v1/listings/{listing_id}")
        return dict(answer.json()), answer.headers["ETag"]

    def edit(self, listing_id: str, change: dict[str, Any]) -> dict[str, Any]:
        """Change a draft as it is now."""
        _, etag = self.listing(listing_id)
        return dict(
            self.call(
                "PATCH", f"/api/v1/listings/{listing_id}", json=change, headers={"If-Match": etag}
            ).json()
        )
