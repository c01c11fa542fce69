"""Whom PostgreSQL runs as, and what that user is let through to: no more than the way to its own files."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.unprivileged import ACL, UnreachableError, account, let_read, let_through

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
NOBODY = pwd.getpwnam("nobody")


def can_pass(user: pwd.struct_passwd, folder: Path) -> bool:
    """Whether a process of this user gets through the folder: asked of the kernel."""
    asked = ["/usr/bin/env", "test", "-e", str(folder / "inside")]
    done = subprocess.run(asked, cwd="/", check=False, user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    return done.returncode == 0


@pytest.fixture
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is closed to everybody else, with a file, below folders that are open."""
    folder = Path(tmp_path_factory.mktemp("open")) / "private"
    folder.mkdir(mode=0o700)
    (folder / "inside").touch()
    return folder


def test_someone_who_is_not_root_runs_it_as_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert account(tmp_path / "postgres") is None


@as_root
def test_data_keeps_its_owner_and_new_data_gets_the_system_user(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    system_user = account(data)
    assert system_user is not None and system_user.pw_uid != 0
    data.mkdir()
    assert account(data) == system_user  # of root's own folders nothing is run
    os.chown(data, NOBODY.pw_uid, NOBODY.pw_gid)
    assert account(data) == NOBODY


@as_root
def test_one_user_is_let_through_and_nobody_else(private: Path) -> None:
    let_through(NOBODY, private.parent / "anything")
    before = stat.S_IMODE(private.stat().st_mode)
    stranger = account(private / "new")
    assert stranger is not None
    assert not can_pass(NOBODY, private)

    let_through(NOBODY, private / "data")
    assert can_pass(NOBODY, private)
    assert not can_pass(stranger, private)
    assert not stat.S_IMODE(private.stat().st_mode) & 0o007 & ~before

    kept = os.getxattr(private, ACL)
    let_through(NOBODY, private / "data")  # twice is once
    assert os.getxattr(private, ACL) == kept
    let_through(stranger, private / "data")  # and what others were given stays
    assert can_pass(stranger, private) and can_pass(NOBODY, private)


@as_root
def test_a_folder_that_cannot_be_opened_is_a_sentence_with_ways_out(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    with pytest.raises(UnreachableError, match=rf"cannot pass through {private} .*not supported.*chmod o\+x"):
        let_through(NOBODY, private / "data")


def _no_such_user(_name: str) -> pwd.struct_passwd:
    raise KeyError("no such user")


def _failing(*_: object, **__: object) -> object:
    return SimpleNamespace(stderr="useradd: cannot lock /etc/passwd; try again later.\n")


def _missing(*_: object, **__: object) -> object:
    raise FileNotFoundError


@pytest.mark.parametrize(
    ("useradd", "sentence"),
    [(_failing, "could not be made: useradd: cannot lock"), (_missing, "could not be made: useradd is not installed")],
)
def test_a_user_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, useradd: object, sentence: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", _no_such_user)
    monkeypatch.setattr(subprocess, "run", useradd)
    with pytest.raises(UnreachableError, match=sentence):
        account(tmp_path / "postgres")


def test_programs_that_a_strict_umask_kept_back_can_be_read(tmp_path: Path) -> None:
    program, library = tmp_path / "bin" / "postgres", tmp_path / "lib" / "share.sql"
    for path, mode in ((program, 0o700), (library, 0o600)):
        path.parent.mkdir(mode=0o700)
        path.touch()
        path.chmod(mode)
    let_read([tmp_path])
    assert [stat.S_IMODE(path.stat().st_mode) for path in (program, library)] == [0o705, 0o604]
    assert stat.S_IMODE(program.parent.stat().st_mode) == 0o705
