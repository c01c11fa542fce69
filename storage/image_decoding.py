"""Photos of certificates: decoded, bounded, turned upright and written anew with nothing but the picture.

Decoding is the only proof that bytes are an image, and writing it anew is the only proof
that nothing else came along: no place or owner of the phone, no second file behind the first.

This runs in a process of its own (storage/image_process.py), which holds nothing worth having: Pillow and the
standard library are all that may be imported here.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

# A progressive JPEG is painted scan by scan, and a scan of 60 bytes may repaint all of it: 10 MiB of
# them over 40 megapixels would keep a core busy for two hours. Cameras and editors write about ten.
MAX_SCANS: Final = 64
# Pillow walks the segments in Python, ten seconds for 10 MiB of empty ones. A picture has dozens, hundreds at most.
MAX_SEGMENTS: Final = 2000
# Between an FF and a byte of these is data; any other byte makes it the head of a segment. (ITU-T T.81, B.1.1)
MARKER: Final = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
START_OF_SCAN: Final = b"\xda"
END_OF_IMAGE: Final = b"\xd9"


class Unfit(Exception):  # noqa: N818 - what is the matter with a file, not an error of the program
    """This is no picture, or too much of one; `why` is one of the words of storage/images.py."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Picture:
    """What is kept of an upload. The same upload gives the same content."""

    media_type: str
    width: int
    height: int
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Format:
    """How one kind of image is read and written."""

    name: str
    media_type: str
    # Called directly: `Image.open` bounds the pixels by a global of the whole process, and only warns up to twice it.
    read: Callable[[io.BytesIO], ImageFile]
    options: Mapping[str, int]


JPEG: Final = Format("JPEG", "image/jpeg", JpegImageFile, {"quality": 90})
PNG: Final = Format("PNG", "image/png", PngImageFile, {"compress_level": 3})
WEBP: Final = Format("WEBP", "image/webp", WebPImageFile, {"quality": 90, "method": 2})

UPRIGHT: Final[Mapping[object, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's readers raise on bytes that only look like an image; it has no exception of its own for it.
BROKEN: Final = (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, struct.error, zlib.error)


def picture_in(data: bytes, max_pixels: int) -> Picture:
    """The picture in `data`, upright, on white, in the format it came in, without metadata.

    The content decides the format, never a name or a declared type. Of a JPEG that holds
    several pictures (phones write them) the first is taken; an animation is refused,
    because a reviewer would see one moment of it. Colours are not converted by an
    embedded profile: a stamp stays red, and a profile is one more thing to parse.

    Raises:
        Unfit: not_an_image, animated, too_many_pixels, truncated, damaged.
        MemoryError: it takes more than this process may have.
    """
    found = recognise(data)
    if found is None:
        raise Unfit("not_an_image")
    try:
        return _written(found, _on_white(_read(found, data, max_pixels)))
    except BROKEN as error:
        raise Unfit("truncated" if _ends_early(data, error) else "damaged") from error


def recognise(data: bytes) -> Format | None:
    """The format by the signature, None for any other."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP
    return None


def _read(found: Format, data: bytes, max_pixels: int) -> Image.Image:
    """The pixels, upright. Every limit is checked on the header, before there are any."""
    if found is WEBP:  # whose reader makes the canvas at once
        _check_pixels(_webp_size(data), max_pixels)
    if found is JPEG and _is_overloaded(data):
        raise Unfit("damaged")
    image = found.read(io.BytesIO(data))
    _check_pixels(image.size, max_pixels)
    if getattr(image, "n_frames", 1) > 1:
        raise Unfit("animated")
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height by the header. Raises: ValueError, struct.error. Source: RFC 9649."""
    chunk, rest = data[12:16], data[20:30]
    if chunk == b"VP8X":
        return int.from_bytes(rest[4:7], "little") + 1, int.from_bytes(rest[7:10], "little") + 1
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", rest, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", rest, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no picture in this WebP file")


def _is_overloaded(data: bytes) -> bool:
    """Whether a JPEG has more segments or scans than any picture needs. What lies behind its end is not counted."""
    scans, at = 0, 2
    for _ in range(MAX_SEGMENTS):
        marker = MARKER.search(data, at)
        if marker is None or marker[1] == END_OF_IMAGE:
            return scans > MAX_SCANS
        scans += marker[1] == START_OF_SCAN
        at = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2], "big"))
    return True


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise Unfit("too_many_pixels")


def _orientation(image: Image.Image) -> object:
    """How the camera was held, 1 to 8; anything else, or nothing, is upright."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except BROKEN:  # a picture is not refused for what will be thrown away
        return None


def _on_white(image: Image.Image) -> Image.Image:
    """Grey or RGB, 8 bits, opaque: what one reviewer sees must not depend on the page's background."""
    if image.mode.startswith("I"):  # 16 bits of grey; `convert` alone would cut at 255 instead of scaling
        return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(layer, mask=layer.getchannel("A"))
        return white
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _written(found: Format, image: Image.Image) -> Picture:
    image.info.clear()  # writers copy comments, profiles and XMP from here
    content = io.BytesIO()
    image.save(content, found.name, **found.options)
    return Picture(found.media_type, image.width, image.height, content.getvalue())


def _ends_early(data: bytes, error: Exception) -> bool:
    if data.startswith(b"RIFF"):
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    return "truncated" in str(error).lower()
