"""An answer means that it lasts: the photo is on disk before its row is, and the row before the answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.world import World, picture


async def test_a_photo_is_on_disk_before_its_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person, happened = await world.person(), list[str]()
    forced, renamed, engine = os.fsync, Path.replace, world.resources.db.engine.sync_engine

    def fsync(descriptor: int) -> None:
        forced(descriptor)
        happened.append(f"forced {Path(f'/proc/self/fd/{descriptor}').readlink().parent.name}")

    def replace(self: Path, target: Path) -> Path:
        happened.append("named")
        return renamed(self, target)

    def commit(_connection: object) -> None:
        happened.append("committed")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    event.listen(engine, "commit", commit)
    try:
        made = await person.upload(picture(54321))  # another one would be there already
    finally:
        event.remove(engine, "commit", commit)

    sha256 = made["certificate"]["sha256"]
    written, row = happened.index("forced drafts"), happened.index("named")
    assert written < row < happened.index("committed") and happened.count("committed") == 1
    folders = happened[row + 1 : happened.index("committed")]
    # The folder of the file, the one above it and the root: each name on the way is on disk.
    assert folders == [
        f"forced {sha256[:2]}",
        "forced certificates",
        f"forced {world.resources.settings.data_dir.name}",
    ]
