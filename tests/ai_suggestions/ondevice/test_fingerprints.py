from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from ai_suggestions.evaluation.duplicates import EDITS
from ai_suggestions.ondevice import fingerprints
from ai_suggestions.ondevice.fingerprints import Likeness
from tests.ai_suggestions.ondevice.drawing import demo_photo

NAMES = ("armchair", "camera", "skateboard", "sofa")


def fingerprint(name: str, edit: str = "") -> fingerprints.Fingerprint:
    photo = demo_photo(name).convert("RGB")
    found, _ = fingerprints.read(EDITS[edit](photo, random.Random(name)) if edit else photo)
    return found


@pytest.fixture(scope="module")
def originals() -> dict[str, fingerprints.Fingerprint]:
    return {name: fingerprint(name) for name in NAMES}


class TestLikeness:
    @pytest.mark.parametrize("edit", sorted(set(EDITS) - {"crop_25"}))
    def test_an_edited_photo_is_the_same_picture_and_shares_a_bucket(
        self, originals: dict[str, fingerprints.Fingerprint], edit: str
    ) -> None:
        found = fingerprint("camera", edit)
        how = fingerprints.likeness(found, originals["camera"])
        assert how.is_same_picture(same_seller=False), how
        assert set(fingerprints.keys_near(found)) & set(fingerprints.keys_of(originals["camera"]))

    def test_other_things_are_not(self, originals: dict[str, fingerprints.Fingerprint]) -> None:
        for name in NAMES[1:]:
            how = fingerprints.likeness(originals[NAMES[0]], originals[name])
            assert not how.is_same_picture(same_seller=False), name

    def test_one_seller_needs_more(self) -> None:
        alike = Likeness(similarity=0.94, distance=20)
        assert alike.is_same_picture(same_seller=False)
        assert not alike.is_same_picture(same_seller=True)
        assert Likeness(0.97, 20).is_same_picture(same_seller=True)
        assert Likeness(0.8, 3).is_same_picture(same_seller=True)
        assert not Likeness(0.6, 0).is_same_picture(same_seller=False), "two blank pictures"


class TestFrames:
    @pytest.mark.parametrize("colour", ["white", "black", (12, 120, 240)])
    def test_bars_of_one_colour_are_cut_off(self, colour: str | tuple[int, int, int]) -> None:
        photo = demo_photo("camera").convert("RGB")
        screen = Image.new("RGB", (photo.width + 60, photo.height + 200), colour)
        screen.paste(photo, (40, 150))
        left, top, size = 40, 150, photo.size
        assert fingerprints.without_frame(screen).size == size
        assert (
            fingerprints.without_frame(screen).tobytes()
            == screen.crop((left, top, left + size[0], top + size[1])).tobytes()
        )

    def test_a_photo_without_any_stays_as_it_is(self) -> None:
        photo = Image.effect_noise((300, 200), 40).convert("RGB")
        assert fingerprints.without_frame(photo) is photo

    def test_a_blank_picture_is_no_frame(self) -> None:
        blank = Image.new("RGB", (200, 100), "white")
        assert fingerprints.without_frame(blank) is blank


class TestKeys:
    def test_a_photo_is_found_in_its_own_buckets(
        self, originals: dict[str, fingerprints.Fingerprint]
    ) -> None:
        for found in originals.values():
            keys = fingerprints.keys_of(found)
            assert len(set(keys)) == 15
            assert set(keys) <= set(fingerprints.keys_near(found))
            assert all(0 <= key < 2**40 for key in keys)

    def test_are_the_same_on_every_machine(self) -> None:
        embedding = np.zeros(1280, dtype=np.float32)
        embedding[::7] = 1 / np.sqrt(len(embedding[::7]))
        keys = fingerprints.keys_of(fingerprints.Fingerprint(embedding, 0x0123456789ABCDEF, 0))
        assert (keys[0], keys[-3:]) == (3_097_527, (51_540_381_167, 55_835_311_181, 60_129_560_785))


class TestPacking:
    def test_loses_next_to_nothing(self, originals: dict[str, fingerprints.Fingerprint]) -> None:
        embedding = originals["camera"].embedding
        kept = fingerprints.packed(embedding)
        assert len(kept) == 2560
        assert float(fingerprints.unpacked(kept) @ embedding) == pytest.approx(1.0, abs=1e-3)
