"""From an offer to a price: what a buyer pays, and what the two may agree on. See docs/orders.md."""
