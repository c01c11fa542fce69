"""Only the picture survives: upright, on white, opaque, without anything that came along."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from storage.image_decoding import MAX_SCANS
from tests.pictures import (
    FORMATS,
    PILLOW_GRUMBLES,
    SECRET,
    accept,
    is_blue,
    laden,
    opened,
    photo,
    png_chunk,
    refusal,
    rgb,
    saved,
)


@pytest.mark.parametrize(("name", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_photo_comes_back_in_its_own_format(name: str, media_type: str) -> None:
    picture = accept(saved(photo(), name))

    assert (picture.media_type, picture.width, picture.height) == (media_type, 48, 32)
    image = opened(picture)
    assert (image.format, image.size, image.mode) == (name, (48, 32), "RGB")
    assert is_blue(image, 2, 2)
    assert not is_blue(image, 45, 29)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_upload_gives_the_same_bytes(name: str) -> None:
    data = saved(photo(), name)
    assert accept(data) == accept(data)


@pytest.mark.parametrize("name", FORMATS)
def test_one_pixel_is_a_picture(name: str) -> None:
    picture = accept(saved(photo(1, 1), name))
    assert (picture.width, picture.height) == (1, 1)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(photo(), name, exif=exif)

    image = opened(accept(data))

    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert image.size == expected.size
    for x in (3, image.width - 4):
        for y in (3, image.height - 4):
            assert is_blue(image, x, y) == is_blue(expected, x, y)


@PILLOW_GRUMBLES
@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12", b"Exif\0\0XX", b"\x01\x12" * 40])
def test_a_photo_is_not_refused_for_metadata_that_nobody_can_read(exif: bytes) -> None:
    assert accept(saved(photo(), "JPEG", exif=exif)).width == 48


def test_a_png_is_not_refused_for_metadata_that_is_not_even_hexadecimal() -> None:
    text = PngInfo()
    text.add_text("Raw profile type exif", "\nexif\n 4\nzz")
    assert accept(saved(photo(), "PNG", pnginfo=text)).width == 48


# ── nothing else survives ────────────────────────────────────────────────────────────────────


def jpeg_segments(content: bytes) -> set[int]:
    found, at = set(), 2
    while content[at + 1] != 0xDA:
        found.add(content[at + 1])
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return found


def png_chunks(content: bytes) -> set[bytes]:
    found, at = set(), 8
    while at < len(content):
        found.add(content[at + 4 : at + 8])
        at += 12 + int.from_bytes(content[at : at + 4], "big")
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_but_the_picture_survives(name: str) -> None:
    data = laden(name)
    assert data.count(SECRET) >= 3

    content = accept(data).content

    assert SECRET not in content
    assert b"PK\x03\x04" not in content
    match name:
        case "JPEG":
            assert jpeg_segments(content) == {0xE0, 0xDB, 0xC0, 0xC4}  # JFIF's 18 bytes, tables, the frame's size
        case "PNG":
            assert png_chunks(content) == {b"IHDR", b"IDAT", b"IEND"}
        case _:
            assert content[12:16] == b"VP8 "
            assert len(content) == 20 + int.from_bytes(content[16:20], "little")


POLYGLOTS = {
    "zip behind": lambda data: data + b"PK\x03\x04" + b"evil" + b"PK\x05\x06" + bytes(18),
    "page behind": lambda data: data + b"<html><script>evil()</script>",
    "pdf in a comment": lambda data: data[:2] + b"\xff\xfe\x00\x10%PDF-1.7 evil" + b"\0" + data[2:],
    "script in a comment": lambda data: data[:2] + b"\xff\xfe\x00\x12<script>evil()</" + data[2:],
    "php in a segment": lambda data: data[:2] + b"\xff\xe5\x00\x12<?php evil(); ?>" + data[2:],
}


@pytest.mark.parametrize("polyglot", POLYGLOTS)
def test_what_is_two_kinds_of_file_at_once_is_one_afterwards(polyglot: str) -> None:
    data = POLYGLOTS[polyglot](saved(photo(), "JPEG"))
    assert b"evil" in data
    assert accept(data) == accept(saved(photo(), "JPEG"))


@pytest.mark.parametrize("before", [b"%PDF-1.7\n", b"<html>", b"GIF89a/*", b"#!/bin/sh\n", b"\0", b" "])
def test_what_only_holds_a_picture_is_none(before: bytes) -> None:
    assert refusal(before + saved(photo(), "JPEG"))[1] == "not_an_image"


def test_of_several_pictures_in_a_jpeg_the_first_is_taken() -> None:
    data = saved(photo(), "MPO", save_all=True, append_images=[photo(20, 20)])
    picture = accept(data)
    assert (picture.media_type, picture.width) == ("image/jpeg", 48)


def test_a_moving_photo_is_a_photo() -> None:
    """Phones append a video to the JPEG; bytes in it may look like scans, which there are too many of."""
    film = b"\xff\xda" * (2 * MAX_SCANS) + random.Random(1).randbytes(1000)  # noqa: S311 - a film, not a secret
    assert accept(saved(photo(), "JPEG") + film).width == 48


# ── every mode becomes grey or RGB, opaque ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "mode", "kept"),
    [
        ("JPEG", "L", "L"),
        ("JPEG", "CMYK", "RGB"),
        ("PNG", "1", "L"),
        ("PNG", "L", "L"),
        ("PNG", "LA", "RGB"),
        ("PNG", "P", "RGB"),
        ("PNG", "RGBA", "RGB"),
        ("PNG", "I;16", "L"),
        ("WEBP", "RGBA", "RGB"),
    ],
)
def test_every_mode_becomes_one_that_browsers_show(name: str, mode: str, kept: str) -> None:
    picture = photo(mode="L").convert(mode) if mode == "I;16" else photo(mode=mode)
    assert opened(accept(saved(picture, name))).mode == kept


def test_sixteen_bits_of_grey_are_scaled_not_cut() -> None:
    image = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 257 * 40, 257 * 128, 65535)):
        image.putpixel((x, 0), value)
    assert [rgb(opened(accept(saved(image, "PNG"))), x, 0)[0] for x in range(4)] == [0, 40, 128, 255]


def test_sixteen_bits_of_colour_are_accepted() -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 65535, 0, 32768) * 4 for _ in range(4))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    assert rgb(opened(accept(data)), 0, 0) == (255, 0, 128)


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(name: str) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    shown = rgb(opened(accept(saved(image, name))), 4, 4)
    assert min(shown) > 250


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_a_transparent_colour_becomes_white(mode: str) -> None:
    image = Image.new(mode, (8, 8), 0)
    data = saved(image, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert rgb(opened(accept(data)), 4, 4) == (255, 255, 255)
