"""Servers as processes of their own, for the tests of what only a process does."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.sources import ROOT

PATIENCE = 60  # seconds for a start, on a machine that does much else


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_in(data_dir: Path) -> list[psutil.Process]:
    """The processes of the PostgreSQL that works in this DATA_DIR."""
    folder = str((data_dir / "postgres").resolve())
    found = psutil.process_iter(["name", "cwd"])
    return [process for process in found if process.info["name"] == "postgres" and process.info["cwd"] == folder]


@dataclass
class Server:
    """A server that answers at `address`; what it says goes to a file."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path
    http: httpx.Client

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self, number: signal.Signals) -> int:
        """Its exit status after this signal."""
        self.http.close()
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(words: Sequence[str], environ: Mapping[str, str], port: int, log: Path) -> Iterator[Server]:
    """A server, from its first answer on; killed at the end if it still runs."""
    address = f"http://127.0.0.1:{port}"
    with log.open("wb") as out, httpx.Client(base_url=address, timeout=PATIENCE) as http:
        process = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT)
        server = Server(process, address, log, http)
        try:
            _wait_for(server, port)
            yield server
        finally:
            process.kill()
            process.wait()


def _wait_for(server: Server, port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)) != 0:
            assert server.process.poll() is None, f"it ended: {server.said}"
            assert time.monotonic() < deadline, f"it does not answer: {server.said}"
            time.sleep(0.05)
    server.http.get("/livez")  # the port is taken before there is anybody to answer
