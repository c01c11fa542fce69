"""An image is decoded in a process that holds nothing else, may do nothing else, and may take so much and no more."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from models.errors import Code, Rejected
from storage import image_process, images
from storage.image_decoding import Picture, Unfit
from storage.image_process import DAMAGED, LENGTH, TOO_COSTLY, decoded_apart
from tests.pictures import FORMATS, accept, laden, photo, saved

PHOTO = saved(photo(), "PNG")


async def why_not(data: bytes, **bounds: int) -> tuple[Code, str | None]:
    with pytest.raises(Rejected) as refused:
        await images.reencode(data, **bounds)
    [problem] = refused.value.problems
    assert problem.path == ("file",)
    return problem.code, problem.why


# ── what it answers ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", FORMATS)
async def test_it_gives_what_decoding_gives(name: str) -> None:
    """Under its limits everything that decoding needs is there: a photo with all that can come along shows it."""
    assert await images.reencode(laden(name)) == accept(laden(name))


async def test_what_is_refused_is_refused_with_its_reason() -> None:
    assert await why_not(b"") == (Code.INVALID, "empty")
    assert await why_not(b"no picture") == (Code.UNSUPPORTED_MEDIA, "not_an_image")
    assert await why_not(PHOTO[:60]) == (Code.INVALID, "truncated")
    assert await why_not(PHOTO, max_pixels=48 * 32 - 1) == (Code.TOO_LARGE, "too_many_pixels")
    assert await why_not(PHOTO, max_bytes=len(PHOTO) - 1) == (Code.TOO_LARGE, "too_many_bytes")
    assert (await images.reencode(PHOTO, max_bytes=len(PHOTO), max_pixels=48 * 32)).width == 48


async def test_two_images_are_decoded_at_a_time() -> None:
    found = await asyncio.gather(*(images.reencode(PHOTO) for _ in range(6)))
    assert [picture.width for picture in found] == [48] * 6
    assert len(images._decoders) <= 2


async def test_a_decoder_that_was_ended_is_replaced() -> None:
    await images.reencode(PHOTO)
    for decoder in list(images._decoders):
        decoder.process.kill()
        decoder.process.wait()
    for _ in range(4):
        assert (await images.reencode(PHOTO)).width == 48


async def test_a_decoder_knows_no_secret_and_has_no_connection() -> None:
    await images.reencode(PHOTO)
    for decoder in images._decoders:
        process = psutil.Process(decoder.process.pid)
        assert process.environ() == {}
        assert process.net_connections() == []


async def test_a_decoder_ends_with_whom_it_serves() -> None:
    decoder = images.Decoder()
    assert decoder.ask(PHOTO, 48 * 32).startswith(b"ok image/png 48 32\n")
    assert decoder.process.stdin is not None and decoder.process.stdout is not None
    decoder.process.send_signal(signal.SIGTERM)  # the server still has images to finish
    assert decoder.ask(PHOTO, 48 * 32).startswith(b"ok ")
    decoder.process.stdin.close()
    assert await asyncio.to_thread(decoder.process.wait, 30) == 0
    decoder.process.stdout.close()
    images._decoders.remove(decoder)


# ── what the process of one image may do ─────────────────────────────────────────────────────


def attempted(monkeypatch: pytest.MonkeyPatch, attempt: Callable[[], object], max_pixels: int = 1) -> bytes:
    """What comes of an attempt that an image makes, having taken over the process that decodes it."""

    def taken_over(*_: object) -> bytes:
        try:
            said = str(attempt())
        except OSError as error:
            said = errno.errorcode[error.errno or 0]
        return LENGTH.pack(len(said)) + said.encode()

    monkeypatch.setattr(image_process, "answer_to", taken_over)
    return decoded_apart(PHOTO, max_pixels)


def test_it_opens_no_file_and_no_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")
    assert attempted(monkeypatch, kept.read_text) == b"EMFILE"
    assert attempted(monkeypatch, lambda: (tmp_path / "new").write_text("new")) == b"EMFILE"
    assert attempted(monkeypatch, socket.socket) == b"EMFILE"
    assert list(tmp_path.iterdir()) == [kept]


def test_it_inherits_nothing_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert attempted(monkeypatch, lambda: os.write(theirs.fileno(), b"!")) == b"EBADF"
        assert attempted(monkeypatch, lambda: os.write(1, b"!")) == b"EBADF"


def test_it_is_not_root_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempted(monkeypatch, os.geteuid) == str(os.geteuid() or image_process.NOBODY).encode()
    assert attempted(monkeypatch, os.fork) == b"EAGAIN"


def test_it_may_take_so_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def bomb(*_: object) -> Picture:
        bytearray(2 * 256 * 1024**2)
        return Picture("image/png", 1, 1, b"")

    monkeypatch.setattr(image_process, "picture_in", bomb)
    assert decoded_apart(PHOTO, 1) == TOO_COSTLY
    monkeypatch.setattr(image_process, "MEMORY", 64 * 1024**3)
    assert decoded_apart(PHOTO, 1) == b"ok image/png 1 1\n"


def test_it_may_take_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_process, "MOST_WAITING", 0.1)
    assert attempted(monkeypatch, lambda: time.sleep(60)) == TOO_COSTLY


def test_it_may_take_so_much_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless() -> None:
        while True:
            pass

    monkeypatch.setattr(image_process, "MOST_SECONDS", 1)
    assert attempted(monkeypatch, endless) == TOO_COSTLY


def test_it_may_say_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_process, "answer_to", lambda *_: struct.pack(">Q", image_process.MOST_WRITTEN + 1))
    assert decoded_apart(PHOTO, 1) == TOO_COSTLY


def test_whatever_a_decoder_raises_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_process, "picture_in", lambda *_: 1 // 0)
    assert decoded_apart(PHOTO, 1) == DAMAGED


def test_a_crash_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempted(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGSEGV)) == DAMAGED
    monkeypatch.undo()
    assert decoded_apart(PHOTO, 48 * 32).startswith(b"ok image/png")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"ok",
        b"ok text/html 1 1\n<script>",
        b"ok image/png 1 1\n<script>",
        b"ok image/jpeg 48 32\n" + PHOTO,
        b"no INTERNAL\n",
        b"\xff\n",
    ],
)
def test_an_answer_is_believed_only_as_far_as_it_can_be(said: bytes) -> None:
    with pytest.raises(Unfit, match="damaged"):
        images._believed(said)
    assert images._believed(b"ok image/png 48 32\n" + PHOTO).width == 48


def test_what_took_too_much_is_told_so() -> None:
    with pytest.raises(Unfit, match="too_costly"):
        images._believed(TOO_COSTLY)
