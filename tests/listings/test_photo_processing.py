"""listings.photos.processing: what becomes of the bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageCms

from listings.photos.processing import ProcessedPhoto, Unprocessable, process
from tests.factories.listings import image_bytes


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def corners(image: Image.Image) -> list[str]:
    """Which of red, green, blue, white the top left, top right, bottom left, bottom right corners are."""
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    right, bottom = image.width - 8, image.height - 8
    found = []
    for place in ((8, 8), (right, 8), (8, bottom), (right, bottom)):
        pixel = image.convert("RGB").getpixel(place)
        assert isinstance(pixel, tuple)
        found.append(names[tuple(int(value > 128) for value in pixel)])  # type: ignore[index]  # three values
    return found


def four_corners(kind: str = "JPEG", orientation: int | None = None, **options: object) -> bytes:
    image = Image.new("RGB", (400, 300))
    for i, colour in enumerate(("red", "lime", "blue", "white")):
        image.paste(colour, (i % 2 * 200, i // 2 * 150, i % 2 * 200 + 200, i // 2 * 150 + 150))
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    exif[0x010F] = "A camera maker"
    exif.get_ifd(0x8825)[2] = (54.0, 41.0, 12.0)
    buffer = io.BytesIO()
    image.save(buffer, kind, exif=exif, **options)
    return buffer.getvalue()


def sizes(photo: ProcessedPhoto) -> dict[int, tuple[int, int]]:
    return {side: opened(content).size for side, content in photo.renditions.items()}


class TestSizes:
    def test_of_a_large_photo(self) -> None:
        photo = process(image_bytes(width=4000, height=3000, quality=70))
        assert max(photo.width, photo.height) <= 2048
        assert opened(photo.master).size == (photo.width, photo.height)
        assert sizes(photo) == {320: (320, 240), 800: (800, 600), 1600: (1600, 1200)}

    def test_a_small_photo_is_not_blown_up(self) -> None:
        photo = process(image_bytes(width=400, height=300))
        assert (photo.width, photo.height) == (400, 300)
        assert sizes(photo) == {320: (320, 240), 800: (400, 300), 1600: (400, 300)}

    def test_a_panorama_keeps_its_shape(self) -> None:
        photo = process(image_bytes("PNG", width=3000, height=110))
        assert sizes(photo)[320] == (320, 12)


class TestFormats:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "MPO"])
    def test_become_plain_jpeg(self, kind: str) -> None:
        photo = process(image_bytes(kind))
        for content in (photo.master, *photo.renditions.values()):
            assert (opened(content).format, opened(content).mode) == ("JPEG", "RGB")

    @pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
    def test_every_mode_of_a_png(self, mode: str) -> None:
        buffer = io.BytesIO()
        source = Image.linear_gradient("L").resize((300, 300))
        if mode == "I;16":
            source = source.convert("I").point(lambda value: value * 257).convert("I;16")
        else:
            source = source.convert(mode)
        source.save(buffer, "PNG")
        shown = opened(process(buffer.getvalue()).master).convert("L")
        assert shown.getextrema() == pytest.approx((0, 255), abs=12)

    def test_transparent_parts_become_white(self) -> None:
        buffer = io.BytesIO()
        Image.new("RGBA", (200, 200), (255, 0, 0, 0)).save(buffer, "PNG")
        assert opened(process(buffer.getvalue()).master).getpixel((100, 100)) == (255, 255, 255)

    def test_cmyk_becomes_rgb(self) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (200, 200), "red").convert("CMYK").save(buffer, "JPEG")
        assert opened(process(buffer.getvalue()).master).mode == "RGB"


class TestOrientation:
    @pytest.mark.parametrize("orientation", [None, 1, 9, 0])
    def test_upright_stays(self, orientation: int | None) -> None:
        photo = process(four_corners(orientation=orientation))
        assert corners(opened(photo.renditions[320])) == ["red", "green", "blue", "white"]

    @pytest.mark.parametrize(
        ("orientation", "expected"),
        [
            (2, ["green", "red", "white", "blue"]),
            (3, ["white", "blue", "green", "red"]),
            (6, ["blue", "red", "white", "green"]),
            (8, ["green", "white", "red", "blue"]),
        ],
    )
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_is_applied_to_the_pixels(self, kind: str, orientation: int, expected: list[str]) -> None:
        photo = process(four_corners(kind, orientation, **({"lossless": True} if kind == "WEBP" else {})))
        for content in (photo.master, *photo.renditions.values()):
            assert corners(opened(content)) == expected
        if orientation > 4:
            assert (photo.width, photo.height) == (300, 400)


class TestMetadata:
    def test_nothing_of_it_is_left(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        content = four_corners(comment=b"taken at home", icc_profile=profile)
        photo = process(content)
        for made in (photo.master, *photo.renditions.values()):
            image = opened(made)
            assert not dict(image.getexif())
            assert set(image.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "progressive",
                "progression",
            }
            for trace in (b"Exif", b"taken at home", b"A camera maker", b"ICC_PROFILE"):
                assert trace not in made

    def test_what_follows_the_picture_is_gone(self) -> None:
        secret = b"motion photo of somebody" * 10
        assert b"somebody" not in process(image_bytes() + secret).master

    def test_a_broken_profile_harms_nobody(self) -> None:
        assert process(image_bytes(icc_profile=b"nonsense" * 40)).width == 400


class TestDigest:
    def test_is_that_of_the_master(self) -> None:
        import hashlib

        photo = process(image_bytes())
        assert photo.sha256 == hashlib.sha256(photo.master).hexdigest()


class TestRefuses:
    def test_what_the_decoder_cannot_read(self) -> None:
        whole = image_bytes("PNG")
        for content in (b"", b"nonsense", whole[: len(whole) // 2], image_bytes()[:300]):
            with pytest.raises(Unprocessable) as caught:
                process(content)
            assert caught.value.code == "undecodable"

    def test_other_formats_than_those_accepted(self) -> None:
        for kind in ("GIF", "BMP", "TIFF", "AVIF", "EPS"):
            with pytest.raises(Unprocessable):
                process(image_bytes(kind))

    def test_more_pixels_than_the_header_that_was_inspected_said(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("listings.photos.processing.MAX_PIXELS", 400 * 300 - 1)
        with pytest.raises(Unprocessable) as caught:
            process(image_bytes())
        assert caught.value.code == "too_many_pixels"

    def test_a_decompression_bomb_before_it_is_decoded(self) -> None:
        import struct
        import zlib

        header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
        data = b"IDAT" + zlib.compress(b"\0" * 100_000)
        chunks = (
            struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
            for c in (header, data, b"IEND")
        )
        with pytest.raises(Unprocessable) as caught:
            process(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
        assert caught.value.code == "too_many_pixels"
