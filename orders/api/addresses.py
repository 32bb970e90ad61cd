"""Addresses, translated out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from orders.providers.carriers.contract import Address


class AddressSerializer(serializers.Serializer[Any]):
    """A postal address; what there is none of is empty."""

    name = serializers.CharField()
    street = serializers.CharField()
    street_2 = serializers.CharField()
    postal_code = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    phone = serializers.CharField()


def address_body(address: Address) -> dict[str, str]:
    """AddressSerializer."""
    return {name: text for name, text in asdict(address).items() if name != "email"}
