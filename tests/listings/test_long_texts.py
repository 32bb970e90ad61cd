"""A text made to be slow is judged as fast as any other: schemathesis found eight seconds for one title."""

from __future__ import annotations

import time

import pytest

from listings import texts

LONGEST_BODY = 20_000


class TestLongText:
    @pytest.mark.parametrize(
        "part",
        ["a", "a-", "a.", "-", ".", "+", "a@", "@_.", "x.de.", "0", "01 ", "isbn 01234567890 ", "\U0001f1e9"],
    )
    def test_is_judged_in_a_moment(self, part: str) -> None:
        text = (part * LONGEST_BODY)[:LONGEST_BODY]
        started = time.process_time()
        list(
            texts.problems_of(
                text,
                pointer="/title",
                shortest=5,
                longest=100,
                most_code_points=400,
                complete=True,
                lines=False,
            )
        )
        assert time.process_time() - started < 0.5

    @pytest.mark.parametrize(
        ("text", "count"),
        [("\U0001f1e9\U0001f1ea", 1), ("\U0001f1e9" * 5, 3), ("a\U0001f1e9\U0001f1ea\u0301b", 3)],
    )
    def test_counts_flags_as_one_character(self, text: str, count: int) -> None:
        assert texts.graphemes(text) == count
