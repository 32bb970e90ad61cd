"""The ledger of members' money, and the ways out of it. See docs/money.md."""
