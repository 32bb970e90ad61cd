"""A seller's record as text and back: what is kept, encrypted, of a compiled filing."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson

from dac7.message.records import (
    BirthPlace,
    Operator,
    PaymentAccount,
    PostalAddress,
    Quarter,
    ReportedSeller,
    SellerKind,
    Tin,
)


def freeze(record: ReportedSeller | Operator) -> str:
    """The same record gives the same text."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode()


def thaw_seller(text: str) -> ReportedSeller:
    """What ``freeze`` took."""
    data: dict[str, Any] = orjson.loads(text)
    first, second, third, fourth = (Quarter(**quarter) for quarter in data["quarters"])
    born, place, account = data["birth_date"], data["birth_place"], data["account"]
    return ReportedSeller(
        **data
        | {
            "member_ids": tuple(data["member_ids"]),
            "kind": SellerKind(data["kind"]),
            "residences": tuple(data["residences"]),
            "address": PostalAddress(**data["address"]),
            "quarters": (first, second, third, fourth),
            "tins": tuple(Tin(**tin) for tin in data["tins"]),
            "birth_date": None if born is None else date.fromisoformat(born),
            "birth_place": None if place is None else BirthPlace(**place),
            "establishments": tuple(data["establishments"]),
            "account": None if account is None else PaymentAccount(**account),
        }
    )


def thaw_operator(text: str) -> Operator:
    """What ``freeze`` took."""
    data: dict[str, Any] = orjson.loads(text)
    return Operator(**data | {"tin": Tin(**data["tin"]), "address": PostalAddress(**data["address"])})
