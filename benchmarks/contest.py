"""One contest: who takes part, and the rounds that they play."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import postgraphile, servers
from benchmarks.asides import asides
from benchmarks.database import Connection, connected
from benchmarks.load import Contestant, compare, rounds
from benchmarks.picks import pick
from benchmarks.postgraphile import PostGraphile, PostGraphileError
from benchmarks.report import Aside, p50_ratio
from benchmarks.workloads import READS, W1, W2, W3, Ask
from benchmarks.writing import WRITING, round_of

SMALL: Final = 28_000
"""What a larger tree is compared with."""


@dataclass(frozen=True)
class Plan:
    """What is played; `only` names workloads, and none means all of them."""

    size: int
    rounds: int
    seconds: float
    only: frozenset[str]
    without: frozenset[str]

    def has(self, name: str) -> bool:
        return not self.only or name in self.only


@dataclass(frozen=True)
class Trees:
    """The databases: the tree, a small one to compare it with, and one without what makes reading fast."""

    url: str
    small: str | None = None
    bare: str | None = None


@dataclass
class Contest:
    plan: Plan
    trees: Trees
    say: Callable[[str], None]
    # Ours first.
    contestants: list[Contestant]
    small: Contestant | None = None
    bare: Contestant | None = None
    asides: list[Aside] = field(default_factory=list)

    @property
    def ours(self) -> Contestant:
        return self.contestants[0]

    @property
    def everybody(self) -> list[Contestant]:
        return [*self.contestants, *filter(None, [self.small, self.bare])]

    async def play(self) -> None:
        """Every workload of the plan, answers compared first."""
        async with connected(self.trees.url) as connection:
            await self._read(connection)
        if self.plan.has(WRITING.name):
            await self._write()
        for one in self.everybody:
            one.resident = max(one.resident, one.server.resident())

    async def _read(self, connection: Connection) -> None:
        asks = {}
        for workload in READS:
            asks[workload.name] = await pick(connection, workload.name)
            if not self.plan.has(workload.name):
                continue
            playing = [one for one in self.contestants if one.plays(workload)]
            await compare(playing, workload, asks[workload.name])
            entries = {one.name: (one, [one.request(workload, ask) for ask in asks[workload.name]]) for one in playing}
            if self.small is not None and workload in {W1, W2, W3}:
                entries["small"] = (self.small, await self._small_requests(workload.name))
            await rounds(entries, workload.name, count=self.plan.rounds, seconds=self.plan.seconds)
            self.say(f"{workload.name} {workload.title}: done")
        if self.plan.has("asides"):
            self.asides = await asides(self.ours, connection, asks)
            self.asides += self._growth()

    async def _small_requests(self, name: str) -> list[bytes]:
        assert self.small is not None and self.trees.small is not None
        async with connected(self.trees.small) as connection:
            found: list[Ask] = await pick(connection, name)
        workload = next(one for one in READS if one.name == name)
        return [self.small.request(workload, ask) for ask in found]

    def _growth(self) -> Iterator[Aside]:
        """How the time of an answer grows with the tree."""
        for workload in (W1, W2, W3):
            if self.small is not None and workload.name in self.ours.samples:
                grown = p50_ratio(self.ours, self.small, workload.name)
                how = f"p50 under {self.plan.size:,} unions ÷ {SMALL:,}"
                yield Aside(f"{workload.name}, large ÷ small", grown, 1.5, how)

    async def _write(self) -> None:
        """W7, last: what it registers stays."""
        writing = [(one, self.trees.url) for one in self.contestants if one.name in {"ours", "stock"}]
        if self.bare is not None and self.trees.bare is not None:
            writing.append((self.bare, self.trees.bare))
        for number in range(self.plan.rounds):
            turn = number % len(writing)
            for contestant, url in writing[turn:] + writing[:turn]:
                async with connected(url) as connection:
                    sample = await round_of(contestant, connection, seconds=2 * self.plan.seconds)
                contestant.samples.setdefault(WRITING.name, {})[number] = sample
        self.say(f"{WRITING.name} {WRITING.title}: done")


@contextmanager
def opened(plan: Plan, trees: Trees, say: Callable[[str], None]) -> Iterator[Contest]:
    """A contest with its servers running."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(TemporaryDirectory()))

        def start(kind: type[Contestant], how: tuple[str, Sequence[str], dict[str, str]]) -> Contestant:
            return kind(stack.enter_context(servers.running(*how)))

        contest = Contest(plan, trees, say, [start(Contestant, servers.ours(trees.url, data))])
        if "limit" not in plan.without:
            contest.contestants.append(start(Contestant, servers.limit(trees.url)))
        if "stock" not in plan.without:
            contest.contestants.append(start(Contestant, servers.stock(trees.url, data)))
        if "postgraphile" not in plan.without:
            try:
                node = postgraphile.ready(trees.url)
                contest.contestants.append(start(PostGraphile, postgraphile.command(trees.url, node)))
            except PostGraphileError as error:
                say(f"without PostGraphile: {error}")
        if trees.small is not None:
            contest.small = start(Contestant, servers.ours(trees.small, data, "small"))
        if trees.bare is not None:
            contest.bare = start(Contestant, servers.ours(trees.bare, data, "bare"))
        yield contest
