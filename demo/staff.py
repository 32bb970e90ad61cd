"""What a person of the tax staff does in the admin, page by page as a browser would."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx

from demo.client import DemoFailed

FILINGS = "/admin/dac7/filing/"


class TaxStaff:
    """Signed in to the admin."""

    def __init__(self, base_url: str, email: str, password: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=30, trust_env=False, follow_redirects=True)
        self.http.headers["Referer"] = base_url
        self._page("/admin/login/")
        self._send("/admin/login/", {"username": email, "password": password, "next": FILINGS})
        if "sessionid" not in self.http.cookies:
            raise DemoFailed(f"{email} cannot sign in to the admin")

    def find_filing(self, year: int) -> tuple[str, str]:
        """Id and status of the year's filing."""
        found = re.search(rf"{FILINGS}([0-9A-Z]{{26}})/change/", self._page(f"{FILINGS}?year={year}"))
        if found is None:
            raise DemoFailed(f"There is no filing of {year}")
        return found[1], self.status_of(found[1])

    def status_of(self, filing_id: str) -> str:
        """As its page says."""
        page = self._page_of(filing_id)
        found = re.search(r'field-status.*?<div class="readonly">([^<]+)', page, re.DOTALL)
        return found[1].strip().lower() if found else ""

    def decide(self, filing_id: str, action: str, note: str) -> None:
        """Review it, approve it, say that it was handed in. Raises DemoFailed with what the page says."""
        answer = self._send(
            FILINGS, {"action": action, "_selected_action": filing_id, "confirmed": "1", "note": note}
        )
        said = re.findall(r'<li class="(\w+)">(.*?)</li>', answer.text, re.DOTALL)
        if not any(kind == "success" for kind, _ in said):
            raise DemoFailed(f"{action} of the filing: {' '.join(words for _, words in said)}")

    def export(self, filing_id: str, reason: str, within_s: float) -> tuple[str, bytes]:
        """Name and content of the filing's first file, once its sellers were told of it."""
        until = time.monotonic() + within_s
        while (found := re.search(rf'href="({FILINGS}export/[^"]+)"', self._page_of(filing_id))) is None:
            if time.monotonic() > until:
                raise DemoFailed("The filing has no file to export")
            time.sleep(0.2)
        answer = self._send(found[1], {"reason": reason})
        name = re.search(r'filename="([^"]+)"', answer.headers.get("content-disposition", ""))
        if name is None:
            raise DemoFailed("The file of the filing was not given out")
        return name[1], answer.content

    def import_status(self, answer: bytes) -> None:
        """Take the authority's answer in."""
        path = f"{FILINGS}import/"
        page = self._send(path, {}, files={"file": ("status.xml", answer, "application/xml")})
        if page.url.path == path:
            raise DemoFailed("The authority's answer was refused: see the admin")

    def close(self) -> None:
        self.http.close()

    def _page_of(self, filing_id: str) -> str:
        return self._page(f"{FILINGS}{filing_id}/change/")

    def _page(self, path: str) -> str:
        answer = self.http.get(path)
        if answer.status_code != 200:
            raise DemoFailed(f"{path} answered {answer.status_code}")
        return answer.text

    def _send(self, path: str, form: dict[str, str], **more: Any) -> httpx.Response:
        token = self.http.cookies.get("csrftoken") or ""
        answer = self.http.post(path, data={"csrfmiddlewaretoken": token, **form}, **more)
        if answer.status_code != 200:
            raise DemoFailed(f"{path} answered {answer.status_code}")
        return answer
