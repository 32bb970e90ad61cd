from __future__ import annotations

from foundation.ids import ID_PATTERN


class IdConverter:
    """`<id:listing_id>` in a path: anything that cannot be an id is answered 404 without a query."""

    regex = ID_PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
