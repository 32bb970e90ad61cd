"""Who reports to which tax authority, read from the environment."""

from __future__ import annotations

from typing import Any

from config.env import ConfigurationError, env
from dac7.message.dialects import DIALECTS

# Of the sandbox: a company that does not exist.
_NOBODY = {
    "name": "Preloved Sandbox UAB",
    "business_name": "Preloved",
    "tin": "300000000",
    "registration_number": "300000000",
    "vat_number": "",
    "street": "Gedimino pr. 1",
    "postcode": "01103",
    "city": "Vilnius",
    "country": "LT",
    "nexus": "RPONEX1",
}


def dialect() -> str:
    """DAC7_DIALECT. Raises ConfigurationError."""
    name = env.str("DAC7_DIALECT", "sandbox")
    if name not in DIALECTS:
        raise ConfigurationError(f"DAC7_DIALECT is {name!r}, should be one of {', '.join(DIALECTS)}")
    return name


def operator(*, for_dialect: str) -> dict[str, str]:
    """DAC7_OPERATOR, a JSON object. Raises ConfigurationError for a gap; only the sandbox may do without."""
    given: Any = env.json("DAC7_OPERATOR", {})
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ConfigurationError("DAC7_OPERATOR should be a JSON object of texts")
    if not given and for_dialect == "sandbox":
        return dict(_NOBODY)
    optional = {"registration_number": "", "vat_number": "", "nexus": "RPONEX1"}
    found = optional | given
    if set(found) != set(_NOBODY) or not all(found[name] for name in set(_NOBODY) - set(optional)):
        raise ConfigurationError(f"DAC7_OPERATOR should hold {', '.join(_NOBODY)}")
    return found
