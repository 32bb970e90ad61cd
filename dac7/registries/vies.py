"""VIES, the Commission's look-up of VAT numbers, by its REST interface.

POST {countryCode, vatNumber} to /check-vat-number; 200 with `valid`, or 200 with `actionSucceed: false` and
`errorWrappers`, or 200 with `valid: false` and a `userError` of the state that did not answer: only without
one, or with `INVALID`, is "not registered" an answer. `INVALID_INPUT` is one too: no state has such a number.
Described in https://ec.europa.eu/assets/taxud/vow-information/swagger_publicVAT.yaml; that errors come in two
shapes was measured by others, who published what they saw in 2026 in the code of public clients.
Never run against the Commission itself: the contract suite runs it against a server of ours that speaks this
interface (tests/doubles/vies_server.py).
"""

from __future__ import annotations

from typing import Any

import httpx

from dac7.registries.contract import RegistryUnavailable, VatAnswer

TIMEOUT_S = 10.0
LONGEST_ANSWER = 100_000
VERDICTS = (None, "", "VALID", "INVALID")
NO_SUCH_NUMBER = "INVALID_INPUT"


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
    if error := _error(found):
        if error == NO_SUCH_NUMBER:
            return VatAnswer(is_registered=False)
        raise RegistryUnavailable(error)
    if not isinstance(found.get("valid"), bool):
        raise RegistryUnavailable("unreadable")
    return VatAnswer(found["valid"], _text(found, "name"), _text(found, "address"))


def _error(found: dict[str, Any]) -> str:
    """Why this is no verdict, in the word of whichever of the two shapes; empty when it is one."""
    if errors := found.get("errorWrappers"):
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
        return str(first.get("error") or "unreadable")[:40]
    if found.get("actionSucceed") is False:
        return "unreadable"
    error = found.get("userError")
    return str(error)[:40] if error not in VERDICTS else ""


def _text(found: dict[str, Any], key: str) -> str:
    # "---" stands for what a member state does not give away.
    text = found.get(key)
    return text.strip()[:500] if isinstance(text, str) and text.strip("- \n") else ""
