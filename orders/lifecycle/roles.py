"""Who acts on offers and orders, beside the clock."""

from __future__ import annotations

BUYER, SELLER, SUPPORT = "buyer", "seller", "support"
CARRIER, PROVIDER = "carrier", "provider"
