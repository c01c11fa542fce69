"""A code that cannot be read back is a picture. Every one here is decoded by another program."""

from __future__ import annotations

import io
import re
from base64 import b64decode

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from storage.qr import INK, QUIET_ZONE, RESET, QrFormat, data_uri, qr_png, qr_svg, qr_terminal

LINK = "https://union.example.cn/i/A1b2C3d4E5f6G7h8I9j0K1"
TEXTS = [LINK, "i=A1b2C3d4E5f6G7h8I9j0K1", "0", "工会登记二维码", "https://union.example.cn/i/" + "x" * 600]


def decoded(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image.convert("L"))]


def drawn(svg: str, scale: int = 8) -> Image.Image:
    """The SVG's strokes as a browser would paint them."""
    found = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    assert found is not None
    side = int(found[1]) * scale
    image = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(image)
    for x, y, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg):
        left, top = int(x) * scale, int(y) * scale
        pen.rectangle((left, top, left + int(length) * scale - 1, top + scale - 1), fill=0)
    return image


def shown(text: str, scale: int = 8) -> Image.Image:
    """What a terminal shows: each character is two modules, one above the other."""
    lines = [line.removeprefix(INK).removesuffix(RESET) for line in text.split("\n")]
    image = Image.new("L", (len(lines[0]), 2 * len(lines)), 255)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            if character in "▀█":
                image.putpixel((column, 2 * row), 0)
            if character in "▄█":
                image.putpixel((column, 2 * row + 1), 0)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


@pytest.mark.parametrize("text", TEXTS)
def test_a_png_can_be_read(text: str) -> None:
    assert decoded(Image.open(io.BytesIO(qr_png(text)))) == [text]


@pytest.mark.parametrize("text", TEXTS)
def test_an_svg_can_be_read(text: str) -> None:
    assert decoded(drawn(qr_svg(text))) == [text]


@pytest.mark.parametrize("text", TEXTS)
def test_a_terminal_can_be_read(text: str) -> None:
    assert decoded(shown(qr_terminal(text))) == [text]


def test_a_terminals_colours_are_set_line_by_line() -> None:
    """Black on white in a dark terminal as in a light one, and nothing runs on behind a line."""
    lines = qr_terminal(LINK).split("\n")
    assert all(line.startswith(INK) and line.endswith(RESET) for line in lines)
    assert len({len(line) for line in lines}) == 1


def test_the_code_survives_some_dirt_and_has_its_quiet_zone() -> None:
    image = Image.open(io.BytesIO(qr_png(LINK))).convert("L")
    (code,) = zxingcpp.read_barcodes(image)
    assert code.ec_level == "M"

    modules = image.resize((41, 41), Image.Resampling.NEAREST)  # version 4 is 33 modules, and 4 of quiet on either side
    dark = modules.point(lambda value: 255 - value).getbbox()
    assert dark == (QUIET_ZONE, QUIET_ZONE, 41 - QUIET_ZONE, 41 - QUIET_ZONE)


def test_pictures_of_a_link_are_small() -> None:
    assert len(qr_png(LINK)) < 1500
    assert len(qr_svg(LINK)) < 3500


def test_an_svg_holds_paths_alone() -> None:
    assert set(re.findall(r"<(\w+)", qr_svg("<script>&"))) == {"svg", "path"}


@pytest.mark.parametrize(
    ("kind", "prefix", "content"),
    [
        (QrFormat.PNG, "data:image/png;base64,", qr_png(LINK)),
        (QrFormat.SVG, "data:image/svg+xml;base64,", qr_svg(LINK).encode()),
    ],
)
def test_a_data_uri_holds_the_picture(kind: QrFormat, prefix: str, content: bytes) -> None:
    uri = data_uri(kind, LINK)
    assert uri.startswith(prefix)
    assert b64decode(uri.removeprefix(prefix)) == content
    assert data_uri(kind, LINK) is uri  # drawn once


@pytest.mark.parametrize("draw", [qr_png, qr_svg, qr_terminal])
def test_a_text_that_no_code_can_hold_is_an_error(draw: object) -> None:
    assert callable(draw)
    assert draw("x" * 2331)
    with pytest.raises(ValueError, match="version"):
        draw("x" * 2332)
