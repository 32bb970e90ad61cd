"""Where sellers send from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from balance.queries.banking import find_identity
from members.queries import get_member_facts
from orders.models import SenderAddress
from orders.providers.carriers.contract import Address


@dataclass(frozen=True, slots=True)
class SenderAddressFacts:
    """What the seller has said; None at first, as version 0."""

    address: Address | None
    version: int
    changed_at: datetime | None


def get_sender_address(member_id: str) -> SenderAddressFacts:
    """The seller's own, whether or not a carrier has asked for it."""
    row = SenderAddress.objects.filter(member_id=member_id).first()
    if row is None:
        return SenderAddressFacts(None, 0, None)
    return SenderAddressFacts(Address(**json.loads(row.address.reveal())), row.version, row.changed_at)


def sender_address_for(seller_id: str, country: str, *, in_full: bool) -> Address:
    """What stands on a label: what the seller told for payouts, else for sending, else the public name.

    The last is all that carriers' shops ask for; `in_full` is for carriers that ask for more, and may still
    be answered with a name alone.
    """
    known = find_identity(seller_id)
    if known is not None:
        return Address(
            name=known.legal_name,
            street=known.street,
            postal_code=known.postal_code,
            city=known.city,
            country=known.country,
        )
    given = get_sender_address(seller_id).address if in_full else None
    if given is not None:
        return given
    name = get_member_facts(seller_id).display_name
    return Address(name=name, street="", postal_code="", city="", country=country)
