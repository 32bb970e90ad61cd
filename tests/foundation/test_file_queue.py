"""The queue of the embedded default: files that a worker takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from config.broker import broker


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    url, transport, options = broker(tmp_path, "")
    with Connection(url, transport=transport, transport_options=options) as connection:
        yield connection


class TestPut:
    def test_hands_over_in_the_order_of_writing(self, connection: Any) -> None:
        channel = connection.default_channel
        for number in range(3):
            channel._put("work", {"number": number})
        assert [channel._get("work")["number"] for _ in range(3)] == [0, 1, 2]

    def test_shows_no_reader_a_message_that_is_not_whole(self, connection: Any) -> None:
        worker = connection.channel()

        class Text:
            """A worker looks while this is being written."""

            def __json__(self) -> str:
                with pytest.raises(Empty):
                    worker._get("work")
                return "whole"

        connection.default_channel._put("work", {"text": Text()})
        assert worker._get("work") == {"text": "whole"}
