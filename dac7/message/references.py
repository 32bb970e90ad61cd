"""Ids of messages and records: made of what is frozen, so that the same filing has the same ids for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dac7.message.dialects import Dialect


@dataclass(frozen=True, slots=True)
class References:
    """The ids of one filing, by the dialect's templates."""

    dialect: Dialect
    state: str
    year: int
    number: int
    operator_tin: str
    timestamp: datetime

    def message(self, part: int) -> str:
        return self._filled(self.dialect.message_ref, part=part)

    def operator(self, part: int) -> str:
        return self._filled(self.dialect.operator_ref, part=part)

    def seller(self, seller_id: str) -> str:
        return self._filled(self.dialect.seller_ref, seller=seller_id)

    def file_name(self, part: int) -> str:
        return self._filled(self.dialect.file_name, part=part, time=f"{self.timestamp:%Y%m%d%H%M%S}")

    def _filled(self, template: str, **more: str | int) -> str:
        tin = "".join(sign for sign in self.operator_tin if sign.isascii() and sign.isalnum())
        return template.format(state=self.state, year=self.year, tin=tin, filing=self.number, **more)
