"""Decodes images in processes that may die of it: `python -m storage.image_process` serves whoever started it.

A decoder is the likeliest part to have a hole. So each image is decoded in a process of its own that holds that
image and nothing else: no secret, no connection, no file, no other image; and it may take so much memory, so
much of the processor and so long, and no more. Starting Python takes 100 ms, and forking a process that has one
thread and all it needs takes some; so this one forks, and itself never looks into an image. It ends when nobody
is left to serve.

In: the lengths of the image and of the most pixels it may have, then the image. Out: a length and an answer of
that length, which is `ok MEDIA_TYPE WIDTH HEIGHT` or `no WHY`, a line feed, and what was made of the image.
"""

from __future__ import annotations

import gc
import io
import os
import resource
import select
import signal
import struct
import sys
import time
from typing import Final, NoReturn

from PIL import Image, TiffImagePlugin  # noqa: F401 - reads EXIF; loaded now, for later no file can be opened

from storage.image_decoding import Unfit, picture_in

REQUEST: Final = struct.Struct(">QQ")
LENGTH: Final = struct.Struct(">Q")

MOST_SECONDS: Final = 15  # of the processor: 40 megapixels take one to five
MOST_WAITING: Final = 40  # by the clock, on a machine that does much else
MOST_WRITTEN: Final = 64 * 1024**2
# At 40 megapixels a WebP with transparency takes the most, 830 MB (docs/adr/0033-images-apart.md).
MEMORY: Final = 256 * 1024**2
MEMORY_A_PIXEL: Final = 20

NOBODY: Final = 65534
TOO_COSTLY: Final = b"no too_costly\n"
DAMAGED: Final = b"no damaged\n"


def main() -> None:
    for ours in (signal.SIGINT, signal.SIGTERM):  # the server says when it needs no more images
        signal.signal(ours, signal.SIG_IGN)
    warm_up()
    gc.freeze()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        length, max_pixels = REQUEST.unpack(head)
        answer = decoded_apart(requests.read(length), max_pixels)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def warm_up() -> None:
    """Has Pillow load whatever it loads at first use."""
    Image.preinit()
    for name in ("JPEG", "PNG", "WEBP"):
        tiny = io.BytesIO()
        Image.new("RGB", (1, 1)).save(tiny, name, exif=Image.Exif())
        picture_in(tiny.getvalue(), 1)


def decoded_apart(data: bytes, max_pixels: int) -> bytes:
    """The answer of a process that is made for this image and ended after it."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        decode(data, max_pixels, theirs)
    os.close(theirs)
    try:
        said = heard(ours, time.monotonic() + MOST_WAITING)
    finally:
        os.close(ours)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if said is not None:
        return said
    stopped = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGKILL, signal.SIGXCPU}
    return TOO_COSTLY if stopped else DAMAGED


def heard(pipe: int, deadline: float) -> bytes | None:
    """What was said with its length before it; None if it was not said whole, or not in time."""
    said = bytearray()
    while True:
        if len(said) >= LENGTH.size:
            [length] = LENGTH.unpack_from(said)
            if length > MOST_WRITTEN:
                return TOO_COSTLY
            if len(said) >= LENGTH.size + length:
                return bytes(said[LENGTH.size : LENGTH.size + length])
        ready, _, _ = select.select([pipe], [], [], max(0, deadline - time.monotonic()))
        more = os.read(pipe, 1024**2) if ready else b""
        if not more:
            return None
        said += more


def decode(data: bytes, max_pixels: int, out: int) -> NoReturn:
    """In the process that may die of it."""
    try:
        confine(out, MEMORY + MEMORY_A_PIXEL * max_pixels + 2 * len(data))
        answer = memoryview(answer_to(data, max_pixels))
        while answer:
            answer = answer[os.write(out, answer) :]
    finally:
        os._exit(0)


def confine(out: int, memory: int) -> None:
    """From here on: no file but `out`, no process, no more memory or time than this; and not root."""
    os.closerange(0, out)
    os.closerange(out + 1, 64)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(5)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    limits = {
        resource.RLIMIT_CPU: MOST_SECONDS,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_NOFILE: 0,  # what is open stays open, and nothing else opens: no file, no connection
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))


def answer_to(data: bytes, max_pixels: int) -> bytes:
    try:
        picture = picture_in(data, max_pixels)
        answer = f"ok {picture.media_type} {picture.width} {picture.height}\n".encode() + picture.content
    except Unfit as unfit:
        answer = f"no {unfit.why}\n".encode()
    except MemoryError:
        answer = TOO_COSTLY
    except Exception:  # noqa: BLE001 - whatever else a decoder raises, it has not decoded
        answer = DAMAGED
    return LENGTH.pack(len(answer)) + answer


if __name__ == "__main__":
    main()
