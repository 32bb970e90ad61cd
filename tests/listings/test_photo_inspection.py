"""listings.photos.inspection: what is a photo, decided from the bytes."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from listings import errors
from listings.photos import inspection
from listings.photos.inspection import PhotoFormat, inspect

pillow_heif.register_heif_opener()

CAMERA = (Path(__file__).parents[2] / "demo" / "photos" / "camera" / "1.jpg").read_bytes()


def picture(width: int = 240, height: int = 180) -> Image.Image:
    image = Image.effect_noise((width, height), 40).convert("RGB")
    image.paste((200, 40, 40), (20, 20, width // 2, height // 2))
    return image


def encoded(kind: str, *, width: int = 240, height: int = 180, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture(width, height).save(buffer, kind, **options)
    return buffer.getvalue()


JPEG = encoded("JPEG")
PROGRESSIVE = encoded("JPEG", progressive=True)
PNG = encoded("PNG")
WEBP = encoded("WEBP")
WEBP_LOSSLESS = encoded("WEBP", lossless=True)
WEBP_EXTENDED = encoded("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
HEIC = encoded("HEIF")
MPO = encoded("MPO", save_all=True, append_images=[picture()])
REFUSALS = (
    errors.PhotoEmpty,
    errors.PhotoTooLarge,
    errors.PhotoTypeNotAccepted,
    errors.PhotoTypeMismatch,
    errors.PhotoAnimated,
    errors.PhotoDamaged,
    errors.PhotoHasForeignData,
    errors.PhotoTooSmall,
    errors.PhotoTooManyPixels,
)
WHOLE = {
    "jpeg": JPEG,
    "progressive": PROGRESSIVE,
    "camera": CAMERA,
    "mpo": MPO,
    "png": PNG,
    "webp": WEBP,
    "webp_lossless": WEBP_LOSSLESS,
    "webp_extended": WEBP_EXTENDED,
    "heic": HEIC,
}


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


VIDEO = box(b"ftyp", b"mp42\0\0\0\0mp42isom") + box(b"moov", b"x" * 40) + box(b"mdat", b"\xff\xd8" * 40)


def samsung_trailer(block: bytes) -> bytes:
    directory = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, 2608, len(block), len(block))
    return block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def with_jpeg_size(content: bytes, width: int, height: int) -> bytes:
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def with_png_size(content: bytes, width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


class TestAccepts:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("jpeg", PhotoFormat.JPEG),
            ("progressive", PhotoFormat.JPEG),
            ("mpo", PhotoFormat.JPEG),
            ("png", PhotoFormat.PNG),
            ("webp", PhotoFormat.WEBP),
            ("webp_lossless", PhotoFormat.WEBP),
            ("webp_extended", PhotoFormat.WEBP),
            ("heic", PhotoFormat.HEIC),
        ],
    )
    def test_every_format_with_its_size(self, name: str, kind: PhotoFormat) -> None:
        found = inspect(WHOLE[name])
        assert (found.format, found.width, found.height) == (kind, 240, 180)

    def test_a_real_camera_photo_under_its_own_name(self) -> None:
        found = inspect(CAMERA, declared_type="image/jpeg; charset=binary", file_name="C:\\DCIM\\1.JPG")
        assert (found.width, found.height) == (1280, 854)

    @pytest.mark.parametrize("declared", [None, "", "application/octet-stream", "IMAGE/JPEG", "image/pjpeg"])
    def test_clients_that_say_nothing_or_the_same(self, declared: str | None) -> None:
        assert inspect(JPEG, declared_type=declared).format is PhotoFormat.JPEG

    @pytest.mark.parametrize("name", [None, "", "photo", "a.tmp", "IMG.2024", "x.JPEG", "../../etc/a.jpe"])
    def test_names_that_say_nothing_or_the_same(self, name: str | None) -> None:
        assert inspect(JPEG, file_name=name).format is PhotoFormat.JPEG

    @pytest.mark.parametrize(
        "trailer",
        [
            b"\0" * 700,
            VIDEO,
            b"\0" * 64 + VIDEO,
            samsung_trailer(b"\0\0\x30\x0a\x0e\0\0\0MotionPhoto_Data" + VIDEO),
            JPEG,
            b"\0\0" + JPEG + b"\0",
        ],
        ids=["padding", "motion photo", "padded video", "samsung", "second picture", "padded picture"],
    )
    def test_what_cameras_append_to_a_jpeg(self, trailer: bytes) -> None:
        assert inspect(JPEG + trailer).width == 240

    def test_fill_bytes_before_a_marker(self) -> None:
        assert inspect(JPEG[:-2] + b"\xff\xff\xff" + JPEG[-2:]).width == 240

    def test_exactly_the_largest_and_smallest(self) -> None:
        assert inspect(with_png_size(PNG, 10_000, 6_000)).width == 10_000
        assert inspect(with_png_size(PNG, 100, 100)).height == 100


class TestRefusesOtherTypes:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (encoded("GIF"), "GIF"),
            (encoded("BMP"), "BMP"),
            (encoded("TIFF"), "TIFF"),
            (encoded("AVIF"), "avif"),
            (encoded("PDF"), "PDF"),
            (encoded("EPS"), "EPS"),
            (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "SVG"),
            (b'\xef\xbb\xbf<?xml version="1.0"?><svg/>', "SVG"),
            (b"<!DOCTYPE html><script>alert(1)</script>", "HTML"),
            (b"PK\x03\x04" + b"\0" * 100, "ZIP"),
            (box(b"ftyp", b"isom\0\0\x02\0isommp41") + box(b"mdat", b"x"), "isom"),
            (b"not a photo at all", "no photo"),
            (b"\xff", "no photo"),
        ],
    )
    def test_photo_type_not_accepted(self, content: bytes, said: str) -> None:
        with pytest.raises(errors.PhotoTypeNotAccepted, match=said) as caught:
            inspect(content)
        assert caught.value.code == "photo_type_not_accepted"

    @pytest.mark.parametrize(
        "declared", ["image/png", "text/html", "image/svg+xml", "image/heic", "nonsense"]
    )
    def test_photo_type_mismatch_of_the_declared_type(self, declared: str) -> None:
        with pytest.raises(errors.PhotoTypeMismatch) as caught:
            inspect(JPEG, declared_type=declared)
        assert caught.value.code == "photo_type_mismatch"

    @pytest.mark.parametrize("name", ["a.png", "a.php", "a.jpg.svg", "a.HEIC"])
    def test_photo_type_mismatch_of_the_name(self, name: str) -> None:
        with pytest.raises(errors.PhotoTypeMismatch):
            inspect(JPEG, file_name=name)

    def test_photo_animated(self) -> None:
        frames: dict[str, Any] = {
            "save_all": True,
            "append_images": [picture(), picture(), picture()],
            "duration": 50,
        }
        sequence = HEIC[:8] + b"hevc" + HEIC[12:]
        for content in (
            encoded("PNG", **frames),
            encoded("WEBP", **frames),
            sequence,
            HEIC + box(b"moov", b""),
        ):
            with pytest.raises(errors.PhotoAnimated) as caught:
                inspect(content)
            assert caught.value.code == "photo_animated"


class TestRefusesDamaged:
    def test_photo_empty(self) -> None:
        with pytest.raises(errors.PhotoEmpty) as caught:
            inspect(b"")
        assert caught.value.code == "photo_empty"

    @pytest.mark.parametrize("name", [name for name in WHOLE if name != "mpo"])
    @pytest.mark.parametrize("missing", [1, 2, 3, 50, 0.1, 0.5, 0.9])
    def test_truncated_anywhere(self, name: str, missing: float) -> None:
        whole = WHOLE[name]
        cut = missing if isinstance(missing, int) else int(len(whole) * missing)
        with pytest.raises(errors.PhotoDamaged) as caught:
            inspect(whole[:-cut])
        assert caught.value.code == "photo_damaged"

    def test_a_cut_second_picture_is_damage_too(self) -> None:
        with pytest.raises(errors.PhotoDamaged):
            inspect(MPO[:-5])

    @pytest.mark.parametrize(
        "content",
        [
            b"\xff\xd8\xff\xd9",
            b"\xff\xd8\xff\xe0\x00\x01",
            b"\xff\xd8\xff\xd8" + JPEG[2:],
            b"\xff\xd8\xff\xda\x00\x02" + JPEG[2:],
            JPEG[:2] + b"\xff\xff\xff\xff",
            JPEG[:20] + b"\x00" + JPEG[20:],
            with_jpeg_size(JPEG, 240, 0),
            PNG[:8],
            PNG[:33] + PNG[-12:],
            PNG[:40] + bytes([PNG[40] ^ 1]) + PNG[41:],
            with_png_size(PNG, 0, 180),
            WEBP[:20] + b"\x01" + WEBP[21:],
            b"RIFF\x04\x00\x00\x00WEBP",
            HEIC.replace(b"ispe", b"abcd"),
            HEIC.replace(b"iloc", b"abcd")[:-200],
        ],
    )
    def test_structures_that_contradict_themselves(self, content: bytes) -> None:
        with pytest.raises(errors.PhotoDamaged):
            inspect(content)

    def test_an_extended_webp_whose_picture_has_another_size(self) -> None:
        at = WEBP_EXTENDED.index(b"VP8X") + 12
        with pytest.raises(errors.PhotoDamaged, match="another size"):
            inspect(WEBP_EXTENDED[:at] + b"\xff\x00\x00" + WEBP_EXTENDED[at + 3 :])


class TestRefusesPolyglots:
    @pytest.mark.parametrize("name", ["jpeg", "progressive", "png", "webp", "heic"])
    @pytest.mark.parametrize(
        "tail",
        [
            b"PK\x03\x04archive of many bytes",
            b"<script>alert(1)</script>",
            b"%PDF-1.7 a document in a photo",
            b"\0" * 40 + b"<?php system($_GET[0]); ?>",
        ],
    )
    def test_photo_has_foreign_data(self, name: str, tail: bytes) -> None:
        with pytest.raises(errors.PhotoHasForeignData) as caught:
            inspect(WHOLE[name] + tail)
        assert caught.value.code == "photo_has_foreign_data"

    @pytest.mark.parametrize(
        "tail",
        [
            VIDEO + b"PK\x03\x04archive",
            b"PK\x03\x04archive" + VIDEO,
            b"PK\x03\x04" + samsung_trailer(b"block"),
            b"archive" * 9 + b"SEFT",
            b"SEFH" + b"\xff" * 20 + b"SEFT",
            JPEG + b"PK\x03\x04archive",
        ],
    )
    def test_behind_or_before_what_cameras_append(self, tail: bytes) -> None:
        with pytest.raises(errors.PhotoHasForeignData):
            inspect(JPEG + tail)


class TestRefusesSizes:
    @pytest.mark.parametrize(("width", "height"), [(1, 1), (99, 4000), (4000, 99)])
    def test_photo_too_small(self, width: int, height: int) -> None:
        with pytest.raises(errors.PhotoTooSmall) as caught:
            inspect(with_png_size(PNG, width, height))
        assert caught.value.code == "photo_too_small"

    def test_photo_too_many_pixels(self) -> None:
        for content in (with_png_size(PNG, 30_000, 30_000), with_jpeg_size(JPEG, 10_001, 6_000)):
            with pytest.raises(errors.PhotoTooManyPixels) as caught:
                inspect(content)
            assert caught.value.code == "photo_too_many_pixels"

    def test_photo_too_large(self) -> None:
        with pytest.raises(errors.PhotoTooLarge) as caught:
            inspect(JPEG + b"\0" * inspection.MAX_BYTES)
        assert caught.value.code == "photo_too_large"


class TestNeverRaisesAnythingElse:
    @given(data=st.data())
    @settings(max_examples=150, deadline=None)
    def test_on_mutated_real_files(self, data: st.DataObject) -> None:
        content = bytearray(WHOLE[data.draw(st.sampled_from(sorted(WHOLE)))])
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.integers(0, min(len(content) - 1, 4000)))
            match data.draw(st.sampled_from(["set", "cut", "insert", "truncate"])):
                case "set":
                    content[at] = data.draw(st.integers(0, 255))
                case "cut":
                    del content[at : at + data.draw(st.integers(1, 300))]
                case "insert":
                    content[at:at] = data.draw(st.binary(max_size=40))
                case _:
                    del content[at + 1 :]
            if not content:
                break
        self.check(bytes(content))

    @given(start=st.sampled_from([JPEG[:4], PNG[:33], b"RIFF", HEIC[:40], b""]), rest=st.binary(max_size=400))
    @settings(max_examples=100, deadline=None)
    def test_on_noise_behind_a_true_beginning(self, start: bytes, rest: bytes) -> None:
        self.check(start + rest)

    @staticmethod
    def check(content: bytes) -> None:
        with contextlib.suppress(*REFUSALS):
            found = inspect(content)
            assert found.width * found.height <= inspection.MAX_PIXELS


class TestSpeed:
    def test_a_twenty_megabyte_jpeg_is_walked_in_a_tenth_of_a_second(self) -> None:
        noise = random.Random(3).randbytes(19_900_000 - len(JPEG)).replace(b"\xff", b"\xff\x00")[:19_000_000]
        content = JPEG[:-2] + noise.removesuffix(b"\xff") + JPEG[-2:]

        def seconds() -> float:
            started = time.thread_time()
            assert inspect(content).width == 240
            return time.thread_time() - started

        assert min(seconds() for _ in range(5)) < 0.1

    @pytest.mark.parametrize(
        "make",
        [
            lambda: b"\xff\xd8" + b"\xff\xfe\x00\x02" * 4_900_000,
            lambda: b"\xff\xd8" + b"\xff" * 19_900_000,
            lambda: JPEG[:-2] + b"\xff\xda\x00\x02" * 4_900_000,
            lambda: JPEG + b"\xff\xd8\xff\xd9" * 4_900_000,
            lambda: PNG[:33] + (b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))) * 1_600_000,
            lambda: b"RIFF" + struct.pack("<I", 16_000_004) + b"WEBP" + b"EXIF\0\0\0\0" * 2_000_000,
            lambda: HEIC[:24] + box(b"free", b"") * 2_400_000,
        ],
        ids=["segments", "fill", "scans", "pictures", "chunks", "riff", "boxes"],
    )
    def test_millions_of_tiny_parts_are_given_up_soon(self, make: Callable[[], bytes]) -> None:
        content = make()  # not while tests are collected: 100 MB in every process
        started = time.thread_time()
        with pytest.raises(REFUSALS):
            inspect(content)
        assert time.thread_time() - started < 1

    def test_extents_that_take_no_room_are_given_up_soon(self) -> None:
        # Version 2, all field lengths 0: 5,000 items that claim 65,535 extents each, in 50 kB.
        items = struct.pack(">IHHH", 1, 0, 0, 0xFFFF) * 5_000
        iloc = box(b"iloc", b"\x02\0\0\0" + b"\0\0" + struct.pack(">I", 5_000) + items)
        file_type = HEIC[: int.from_bytes(HEIC[:4])]
        content = file_type + box(b"meta", b"\0\0\0\0" + iloc) + box(b"mdat", b"x")
        started = time.thread_time()
        with pytest.raises(errors.PhotoDamaged, match="where its picture is"):
            inspect(content)
        assert time.thread_time() - started < 1
