"""QR codes: as PNG, as SVG, as a data: URI, and for a terminal. Error correction M, quiet zone of four modules."""

from __future__ import annotations

import io
from base64 import b64encode
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import Final

from PIL import Image
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE: Final = 4
# Pixels a module: 656 across for a link, sharp on a phone's screen and on paper, and still less than 1 KB.
SCALE: Final = 16
# A code is asked for again and again while its card is being passed around, and takes 12 ms to lay out.
REMEMBERED: Final = 512

# Palette entries 16 and 231 are black and white in every terminal theme; 0 to 15 are whatever the theme says.
INK: Final = "\x1b[38;5;16;48;5;231m"
RESET: Final = "\x1b[0m"
HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


class QrFormat(StrEnum):
    PNG = "PNG"
    SVG = "SVG"


def qr_png(text: str) -> bytes:
    """One bit a pixel. Raises: ValueError, if the text is too long for any QR code (about 2,300 bytes)."""
    modules = _modules(text)
    side = len(modules)
    image = Image.new("1", (side, side))
    image.putdata([not dark for row in modules for dark in row])
    content = io.BytesIO()
    image.resize((side * SCALE, side * SCALE), Image.Resampling.NEAREST).save(content, "PNG")
    return content.getvalue()


def qr_svg(text: str) -> str:
    """A document without a size of its own: one unit a module, a white ground and one path. Raises: ValueError."""
    modules = _modules(text)
    side = len(modules)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path stroke="#000" d="{"".join(_strokes(y, row) for y, row in enumerate(modules))}"/></svg>'
    )


@lru_cache(maxsize=REMEMBERED)
def data_uri(kind: QrFormat, text: str) -> str:
    """A `data:` URI in base64, which every web view takes. Raises: ValueError."""
    if kind is QrFormat.PNG:
        return f"data:image/png;base64,{b64encode(qr_png(text)).decode()}"
    return f"data:image/svg+xml;base64,{b64encode(qr_svg(text).encode()).decode()}"


def qr_terminal(text: str) -> str:
    """Lines of half blocks, black on white whatever the terminal's colours are. Raises: ValueError."""
    modules = _modules(text)
    # A line shows two rows, and the side is odd in every version.
    pairs = zip(modules[::2], (*modules[1::2], (False,) * len(modules)), strict=True)
    lines = ("".join(map(HALVES.__getitem__, zip(*pair, strict=True))) for pair in pairs)
    return "\n".join(f"{INK}{line}{RESET}" for line in lines)


@lru_cache(maxsize=REMEMBERED)
def _modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The rows, quiet zone included; true is dark."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(text)
    return tuple(tuple(map(bool, row)) for row in code.get_matrix())


def _strokes(y: int, row: tuple[bool, ...]) -> str:
    """A row's dark runs as strokes along its middle, which is half the length of outlines."""
    drawn, x = "", 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            drawn += f"M{x} {y}.5h{length}"
        x += length
    return drawn
