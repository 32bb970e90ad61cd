"""VIES, the Commission's look-up of VAT numbers, by its REST interface.

POST {countryCode, vatNumber} to /check-vat-number; 200 with `valid`, or 200 with `actionSucceed: false` and
the errors of a state that does not answer (see https://ec.europa.eu/taxation_customs/vies).
Never run against the Commission itself: the contract suite runs it against a server of ours that speaks this
interface (tests/doubles/vies_server.py).
"""

from __future__ import annotations

from typing import Any

import httpx

from dac7.registries.contract import RegistryUnavailable, VatAnswer

TIMEOUT_S = 10.0
LONGEST_ANSWER = 100_000


class Vies:
    """`base_url`: of the service, without the path of the operation."""

    name = "vies"

    def __init__(self, base_url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = f"{base_url.rstrip('/')}/check-vat-number"
        self._timeout_s = timeout_s

    def look_up(self, vat_number: str) -> VatAnswer:
        """See VatRegistry. VIES answers errors of its own as 4xx and 5xx; all of them are no answer."""
        body = {"countryCode": vat_number[:2], "vatNumber": vat_number[2:]}
        try:
            answer = httpx.post(self._url, json=body, timeout=self._timeout_s)
        except httpx.HTTPError as error:
            raise RegistryUnavailable(type(error).__name__) from None
        if answer.status_code != 200:
            raise RegistryUnavailable(f"http_{answer.status_code}")
        return _read(answer)


def _read(answer: httpx.Response) -> VatAnswer:
    if len(answer.content) > LONGEST_ANSWER:
        raise RegistryUnavailable("unreadable")
    try:
        found: Any = answer.json()
    except ValueError:
        raise RegistryUnavailable("unreadable") from None
    if not isinstance(found, dict):
        raise RegistryUnavailable("unreadable")
    if errors := found.get("errorWrappers"):
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
        raise RegistryUnavailable(str(first.get("error", "unreadable"))[:40])
    if not isinstance(found.get("valid"), bool):
        raise RegistryUnavailable("unreadable")
    return VatAnswer(found["valid"], _text(found, "name"), _text(found, "address"))


def _text(found: dict[str, Any], key: str) -> str:
    # "---" stands for what a member state does not give away.
    text = found.get(key)
    return text.strip()[:500] if isinstance(text, str) and text.strip("- \n") else ""
