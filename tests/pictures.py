"""Pictures for the tests of uploads: good ones, laden ones, and how they are taken."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from models.errors import Code
from storage.image_decoding import Picture, Unfit, picture_in
from storage.images import MAX_PIXELS, WHY_NOT

FORMATS = ["JPEG", "PNG", "WEBP"]
# Pillow warns of broken EXIF as it passes over it.
PILLOW_GRUMBLES = pytest.mark.filterwarnings("ignore::UserWarning")
SECRET = b"22.5431N 114.0579E"


def photo(width: int = 48, height: int = 32, mode: str = "RGB") -> Image.Image:
    """Red but for a blue corner at the top left, so that turning it shows."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 30, 200), (0, 0, width // 2, height // 2))
    return image.convert(mode)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, name, **options)
    return content.getvalue()


def accept(data: bytes) -> Picture:
    return picture_in(data, MAX_PIXELS)


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.content))
    image.load()
    return image


def refusal(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Code, str]:
    with pytest.raises(Unfit) as refused:
        picture_in(data, max_pixels)
    why = refused.value.why
    return WHY_NOT[why], why


def rgb(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    pixel = image.convert("RGB").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


def is_blue(image: Image.Image, x: int, y: int) -> bool:
    red, _, blue = rgb(image, x, y)
    return blue > red


def laden(name: str) -> bytes:
    """A photo with everything that can come along, and a second file behind it."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    text = PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict[str, dict[str, object]] = {
        "JPEG": {"comment": SECRET, "xmp": SECRET},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": SECRET},
    }
    return saved(photo(), name, exif=exif, icc_profile=profile, **options[name]) + b"PK\x03\x04" + SECRET


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
