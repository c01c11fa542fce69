"""Uploaded photos: measured here, decoded in a process of their own (storage/image_process.py)."""

from __future__ import annotations

import asyncio
import atexit
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from models.errors import Code, Problem, Rejected
from storage.image_decoding import Picture, Unfit, recognise
from storage.image_process import LENGTH, MOST_WRITTEN, REQUEST

log = logging.getLogger(__name__)

ROOT: Final = Path(__file__).parent.parent

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000

WHY_NOT: Final[Mapping[str, Code]] = {
    "empty": Code.INVALID,
    "truncated": Code.INVALID,
    "damaged": Code.INVALID,
    "too_many_bytes": Code.TOO_LARGE,
    "too_many_pixels": Code.TOO_LARGE,
    "too_costly": Code.TOO_LARGE,
    "not_an_image": Code.UNSUPPORTED_MEDIA,
    "animated": Code.UNSUPPORTED_MEDIA,
}

# Decoding is work for a core, not for the event loop, and 40 megapixels can take half a gigabyte: two at a time.
_TWO_AT_A_TIME: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="images")


async def reencode(data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Picture:
    """The picture in `data`, as storage/image_decoding.py writes it anew; a third upload waits its turn.

    Raises:
        Rejected: at `file`: INVALID (empty, truncated, damaged), TOO_LARGE (too_many_bytes, too_many_pixels,
            too_costly), UNSUPPORTED_MEDIA (not_an_image, animated).
    """
    try:
        _measure(data, max_bytes)
        work = partial(_decoded, data, max_pixels)
        return await asyncio.get_running_loop().run_in_executor(_TWO_AT_A_TIME, work)
    except Unfit as unfit:
        most = {"too_many_bytes": max_bytes // 2**20, "too_many_pixels": max_pixels // 10**6}.get(unfit.why)
        params = {} if most is None else {"max": most}
        raise Rejected(Problem(WHY_NOT[unfit.why], ("file",), unfit.why, params)) from None


async def opens(data: bytes) -> bool:
    """Whether what was kept of an upload is a picture still, whatever its size."""
    try:
        await reencode(data, max_bytes=len(data), max_pixels=2**31 - 1)
    except Rejected:
        return False
    return True


def _measure(data: bytes, max_bytes: int) -> None:
    """Raises: Unfit."""
    if not data:
        raise Unfit("empty")
    if len(data) > max_bytes:
        raise Unfit("too_many_bytes")


class Decoder:
    """A process that decodes, one image after the other. It gets none of our environment: our secrets are in it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "storage.image_process"],
            cwd=ROOT,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the server: what was begun is finished
        )
        _decoders.append(self)

    def ask(self, data: bytes, max_pixels: int) -> bytes:
        """What it says of an image. Raises: OSError, EOFError: it is gone."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(REQUEST.pack(len(data), max_pixels) + data)
        self.process.stdin.flush()
        [length] = LENGTH.unpack(self._read(LENGTH.size))
        assert length <= MOST_WRITTEN
        return self._read(length)

    def _read(self, length: int) -> bytes:
        assert self.process.stdout is not None
        said = self.process.stdout.read(length)
        if len(said) < length:
            raise EOFError
        return said

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()
        _decoders.remove(self)


_decoders: Final[list[Decoder]] = []
_mine: Final = threading.local()


@atexit.register
def _stop_all() -> None:
    while _decoders:
        _decoders[0].stop()


def _decoded(data: bytes, max_pixels: int) -> Picture:
    """Raises: Unfit."""
    try:
        said = _decoder().ask(data, max_pixels)
    except (OSError, EOFError):  # somebody has ended it: another one can do the same
        log.warning("the process that decodes images was gone")
        _mine.decoder.stop()
        del _mine.decoder
        said = _decoder().ask(data, max_pixels)
    return _believed(said)


def _decoder() -> Decoder:
    """This thread's own."""
    if not hasattr(_mine, "decoder"):
        _mine.decoder = Decoder()
    decoder: Decoder = _mine.decoder
    return decoder


def _believed(said: bytes) -> Picture:
    """An answer, looked at as if an image had taken over who gave it.

    Raises:
        Unfit: what it says is the matter; or `damaged`, if it says what cannot be.
    """
    line, _, content = said.partition(b"\n")
    match line.decode("ascii", "replace").split(" "):
        case ["ok", media_type, width, height] if (found := recognise(content)) and found.media_type == media_type:
            return Picture(media_type, int(width), int(height), content)
        case ["no", why] if why in WHY_NOT:
            if why == "too_costly":
                log.warning("an image took more than it may to decode")
            raise Unfit(why)
    log.error("the process that decodes images said what cannot be")
    raise Unfit("damaged")
