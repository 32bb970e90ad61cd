"""A photo as the nets see it, decoded once for all steps."""

from __future__ import annotations

import pytest
from PIL import UnidentifiedImageError

from ai_suggestions.ondevice import colours, fingerprints, garments, safety
from ai_suggestions.ondevice.views import is_of_one_colour, picture_of
from tests.ai_suggestions.ondevice.drawing import DEMO_PHOTOS


class TestPictureOf:
    def test_is_decoded_once_for_steps_that_nothing_changes_it_in(self) -> None:
        content = (DEMO_PHOTOS / "sneakers" / "1.jpg").read_bytes()
        picture = picture_of(content)
        before = (picture.mode, picture.size, picture.tobytes())
        for look in (
            safety.read,
            fingerprints.read,
            garments.kind_model().read,
            colours.read,
            is_of_one_colour,
        ):
            look(picture)
        assert picture_of(bytes(bytearray(content))) is picture
        assert (picture.mode, picture.size, picture.tobytes()) == before

    def test_what_is_no_picture_is_not_remembered(self) -> None:
        for _ in range(2):
            with pytest.raises(UnidentifiedImageError):
                picture_of(b"no picture")
