"""What is no picture, or too much of one, is refused with a reason that its sender can act on."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from models.errors import Code
from storage.image_decoding import MAX_SCANS, MAX_SEGMENTS, Unfit, picture_in
from tests.pictures import FORMATS, PILLOW_GRUMBLES, accept, laden, photo, png_chunk, refusal, saved


@pytest.mark.parametrize("name", FORMATS)
def test_too_many_pixels_are_refused_and_one_less_is_not(name: str) -> None:
    data = saved(photo(), name)
    assert refusal(data, max_pixels=48 * 32 - 1) == (Code.TOO_LARGE, "too_many_pixels")
    assert picture_in(data, 48 * 32).width == 48


@pytest.mark.parametrize(
    "data",
    [
        saved(photo(), "GIF"),
        saved(photo(), "BMP"),
        saved(photo(), "TIFF"),
        saved(photo(), "PDF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"\xff",
        "证书.jpg".encode(),
    ],
    ids=["gif", "bmp", "tiff", "pdf", "svg", "heic", "wave", "byte", "text"],
)
def test_the_content_decides_what_is_an_image(data: bytes) -> None:
    assert refusal(data) == (Code.UNSUPPORTED_MEDIA, "not_an_image")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_half_an_upload_is_refused(name: str, part: float) -> None:
    noise = Image.effect_noise((160, 160), 90).convert("RGB")
    data = saved(noise, name)
    assert refusal(data[: int(len(data) * part)])[0] == Code.INVALID
    assert accept(data).width == 160


@pytest.mark.parametrize("name", FORMATS)
def test_half_an_upload_is_called_so(name: str) -> None:
    data = saved(Image.effect_noise((160, 160), 90).convert("RGB"), name)
    assert refusal(data[: len(data) // 2]) == (Code.INVALID, "truncated")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0",
        b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\0\0\0\0\0\0\0\0\0",
    ],
    ids=["jpeg", "jpeg-end", "png", "webp", "webp-lossy", "webp-lossless"],
)
def test_a_signature_is_not_a_picture(data: bytes) -> None:
    assert refusal(data)[0] == Code.INVALID


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 12 + len(body)) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


BOMBS = {
    "png": b"\x89PNG\r\n\x1a\n"
    + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    + png_chunk(b"IDAT", b""),
    "jpeg": b"\xff\xd8\xff\xc0"
    + struct.pack(">HBHHB", 17, 8, 65_000, 65_000, 3)
    + b"\1\x11\0\2\x11\0\3\x11\0\xff\xda\0\x0c\3\1\0\2\0\3\0\0\0\0",
    "webp": webp(b"VP8X", b"\0\0\0\0" + (59_999).to_bytes(3, "little") * 2),
    "webp-lossless": webp(b"VP8L", b"\x2f" + struct.pack("<I", 16_383 | 16_383 << 14) + bytes(8)),
    "webp-lossy": webp(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383) + bytes(8)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_by_its_header(bomb: str) -> None:
    """None of these has pixels: had anybody tried to decode them, the reason would be another one."""
    assert refusal(BOMBS[bomb]) == (Code.TOO_LARGE, "too_many_pixels")


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_an_animation_is_refused(name: str) -> None:
    film = saved(photo(), name, save_all=True, append_images=[ImageOps.mirror(photo())], duration=100)
    assert refusal(film) == (Code.UNSUPPORTED_MEDIA, "animated")


def painted(times: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = saved(photo(64, 64, "L"), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * times + b"\xff\xd9"


def test_a_jpeg_that_repaints_itself_without_end_is_refused() -> None:
    assert refusal(painted(MAX_SCANS)) == (Code.INVALID, "damaged")
    assert accept(painted(10)).width == 64


def test_a_jpeg_cannot_hide_its_scans_behind_a_false_end() -> None:
    data = painted(MAX_SCANS)
    first = data.index(b"\xff\xda")
    comment = b"\xff\xfe\0\x06\xff\xd9\xff\xd9"
    assert refusal(data[:first] + comment + data[first:]) == (Code.INVALID, "damaged")


def test_a_jpeg_of_nothing_but_segments_is_refused() -> None:
    data = saved(photo(), "JPEG")
    comment = b"\xff\xfe\0\x02"
    assert refusal(data[:2] + comment * MAX_SEGMENTS + data[2:]) == (Code.INVALID, "damaged")
    assert accept(data[:2] + comment * (MAX_SEGMENTS // 2) + data[2:]).width == 48


@PILLOW_GRUMBLES
@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=150)
@given(mutations=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12))
def test_whatever_is_sent_the_answer_is_a_picture_or_a_refusal(name: str, mutations: list[tuple[float, int]]) -> None:
    data = bytearray(laden(name))
    for where, value in mutations:
        data[int(where * len(data))] = value
    with contextlib.suppress(Unfit):
        assert accept(bytes(data)).content
