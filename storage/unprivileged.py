"""Whom PostgreSQL runs as when we are root: it refuses to run as root itself.

The owner of existing data keeps it; new data belongs to a system user made for the purpose. That
user gets no more than the right to pass through the folders that lead to its files (an ACL entry,
`u:embedded_postgres:--x`): `chmod o+rx`, the usual way out, would open /root to everyone.
"""

import logging
import os
import pwd
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SYSTEM_USER: Final = "embedded_postgres"
NO_ROOT: Final = "PostgreSQL does not run as root, and its user"
MAY_READ: Final = 0o004
MAY_PASS: Final = 0o001

# Linux keeps an ACL as an extended attribute: a version, then entries of tag, rights and id, in this order of tags.
ACL: Final = "system.posix_acl_access"
VERSION: Final = struct.pack("<I", 2)
ENTRY: Final = struct.Struct("<HHI")
OWNER, USER, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NO_ID: Final = 0xFFFFFFFF

log = logging.getLogger(__name__)


class UnreachableError(Exception):
    """The unprivileged user cannot be made, or cannot be let through a folder; says why in one sentence."""


def account(data: Path) -> pwd.struct_passwd | None:
    """The user to run PostgreSQL as on the files in `data`; None means as ourselves, who are not root.

    Raises:
        UnreachableError: no such user, and none could be made.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    return _system_user()


def _system_user() -> pwd.struct_passwd:
    """The system user, made now if it was missing."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    options = ("--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin")
    try:
        made = subprocess.run(
            ["useradd", *options, SYSTEM_USER],  # noqa: S607 - found on the PATH below
            env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise UnreachableError(f"{NO_ROOT} {SYSTEM_USER} could not be made: useradd is not installed.") from None
    try:
        return pwd.getpwnam(SYSTEM_USER)  # whether we made it or someone else was faster
    except KeyError:
        raise UnreachableError(f"{NO_ROOT} {SYSTEM_USER} could not be made: {made.stderr.strip()}") from None


def let_through(user: pwd.struct_passwd, path: Path) -> None:
    """Lets `user` pass through every folder above `path`.

    Raises:
        UnreachableError: a folder in the way takes no ACL.
    """
    for folder in path.parents:
        status = folder.stat()
        if status.st_mode & MAY_PASS or status.st_uid == user.pw_uid:
            continue
        try:
            if _allow(folder, user.pw_uid):
                log.warning("Let the user %s pass through %s.", user.pw_name, folder)
        except OSError as error:
            raise UnreachableError(
                f"{NO_ROOT} {user.pw_name} cannot pass through {folder} "
                f"({error.strerror}). Run `chmod o+x {folder}`, move this folder elsewhere, start the server as "
                "an ordinary user, or set DATABASE_URL."
            ) from error


def let_read(trees: Iterable[Path]) -> None:
    """Lets everyone read these programs and run them, where a strict umask had kept them to root."""
    for tree in trees:
        for path in (tree, *tree.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | MAY_READ | (MAY_PASS if mode & 0o100 else 0))


def _allow(folder: Path, uid: int) -> bool:
    """Lets `uid` pass through `folder` and keeps every other right there; False if it already could."""
    try:
        before = os.getxattr(folder, ACL)
        entries = {(tag, who): rights for tag, rights, who in ENTRY.iter_unpack(before[len(VERSION) :])}
    except OSError:  # no ACL yet: the mode says it all
        before, mode = b"", folder.stat().st_mode
        entries = {(OWNER, NO_ID): mode >> 6 & 7, (GROUP, NO_ID): mode >> 3 & 7, (OTHER, NO_ID): mode & 7}
    mask = entries.get((MASK, NO_ID), entries[GROUP, NO_ID])
    entries |= {(USER, uid): entries.get((USER, uid), 0) | MAY_PASS, (MASK, NO_ID): mask | MAY_PASS}
    after = VERSION + b"".join(ENTRY.pack(tag, rights, who) for (tag, who), rights in sorted(entries.items()))
    if after != before:
        os.setxattr(folder, ACL, after)
    return after != before
