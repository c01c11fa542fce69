"""The contestants as processes: started beside each other on ports of their own, and stopped at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.database import KEYS

ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 60
# A handful of accounts ask for what thousands would: the limits are counted as ever, and reached by nobody.
UNLIMITED: Final = ",".join(
    f"{name}=99999999/60" for name in ("card", "card-anonymous", "code-miss", "search", "upload", "registration")
)


class StartError(Exception):
    """A contestant does not start; with its last words."""


@dataclass(frozen=True)
class Server:
    """A running contestant."""

    name: str
    port: int
    process: psutil.Process

    def resident(self) -> float:
        """Megabytes of memory that its processes hold."""
        return sum(int(one.memory_info().rss) for one in self._every()) / 1e6

    def busy(self) -> float:
        """Seconds of the processor that its processes have used."""
        return sum(one.cpu_times().user + one.cpu_times().system for one in self._every())

    def _every(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def running(name: str, command: Sequence[str], environ: Mapping[str, str], *, cwd: Path = ROOT) -> Iterator[Server]:
    """The contestant while the block runs. `{port}` in the command and in the environment is its port.

    Raises:
        StartError: it ended, or did not listen in time.
    """
    port = _free_port()
    env = {key: value.replace("{port}", str(port)) for key, value in environ.items()}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [word.replace("{port}", str(port)) for word in command],
            env={**_inherited(), **env},
            cwd=cwd,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            if not _listens(port, process):
                log.seek(0)
                raise StartError(f"{name} does not start. Its last words:\n{log.read()[-2000:]}")
            yield Server(name, port, psutil.Process(process.pid))
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def ours(url: str, data: Path, name: str = "ours") -> tuple[str, list[str], dict[str, str]]:
    """What starts this project's server as it is served: name, command, environment."""
    return name, [sys.executable, "server.py", "serve"], _settings(url, data)


def stock(url: str, data: Path) -> tuple[str, list[str], dict[str, str]]:
    return "stock", _uvicorn("benchmarks.stock:app"), _settings(url, data)


def told(url: str, data: Path, plans: str) -> tuple[str, list[str], dict[str, str]]:
    """`data` will have what it tells in `told`."""
    command = _uvicorn("--factory", "benchmarks.told:create_app")
    return "told", command, {**_settings(url, data), "TOLD": str(data / "told"), "PLANS": plans}


def limit(url: str) -> tuple[str, list[str], dict[str, str]]:
    return "limit", _uvicorn("benchmarks.limit.app:app"), {"DATABASE_URL": url}


def _uvicorn(*app: str) -> list[str]:
    quietly = ["--no-access-log", "--no-server-header", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", *app, "--port", "{port}", *quietly]


def _settings(url: str, data: Path) -> dict[str, str]:
    served = {"DATABASE_URL": url, "DATA_DIR": str(data), "PORT": "{port}", "LOG_LEVEL": "warning"}
    return {**KEYS, **served, "RATE_LIMITS": UNLIMITED}


def _inherited() -> dict[str, str]:
    """The environment without the settings of a server that may be configured in it."""
    return {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False
