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
from benchmarks.database import connected
from benchmarks.load import FAILURES, Contestant, compare, rounds
from benchmarks.picks import pick
from benchmarks.postgraphile import PostGraphile, PostGraphileError
from benchmarks.report import Aside, grown, overall, resident, writing
from benchmarks.workloads import READS, Ask, Workload
from benchmarks.writing import WRITING, round_of

SMALL: Final = 28_000
"""What a larger tree is compared with."""

ASIDES: Final = "asides"


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
        """Every workload of the plan, answers compared first; what is written stays, so it is written last."""
        wanted = [one for one in READS if self.plan.has(one.name) or self.plan.has(ASIDES)]
        asks = {one.name: await _picked(self.trees.url, one) for one in wanted}
        for workload in wanted:
            if self.plan.has(workload.name):
                await self._read(workload, asks[workload.name])
        self.asides += self._having_read()
        if self.plan.has(WRITING.name):
            await self._write()
        self.asides += self._having_written()
        if self.plan.has(ASIDES):
            try:
                async for aside in asides(self.ours, self.trees.url, asks):
                    self.asides.append(aside)
            except FAILURES as error:
                self.ours.fail(ASIDES, error)

    def _having_read(self) -> Iterator[Aside]:
        for rival in self.contestants:
            if isinstance(rival, PostGraphile):
                yield from overall(self.ours, rival)
        if self.small is not None:
            yield from grown(self.ours, self.small)

    def _having_written(self) -> Iterator[Aside]:
        if self.bare is not None:
            yield from writing(self.ours, self.bare)
        yield from resident(self.ours)

    async def _read(self, workload: Workload, asks: Sequence[Ask]) -> None:
        playing = [one for one in self.contestants if one.plays(workload)]
        await compare(playing, workload, asks)
        if workload.name in self.ours.failures:
            return
        entries = {one.name: (one, [one.request(workload, ask) for ask in asks]) for one in playing}
        if self.small is not None and self.trees.small is not None:
            few = await _picked(self.trees.small, workload)
            entries["small"] = (self.small, [self.small.request(workload, ask) for ask in few])
        await rounds(entries, workload.name, count=self.plan.rounds, seconds=self.plan.seconds)
        self.say(f"{workload.name} {workload.title}: done")

    async def _write(self) -> None:
        writers = [(one, self.trees.url) for one in self.contestants if one.name in {"ours", "stock"}]
        if self.bare is not None and self.trees.bare is not None:
            writers.append((self.bare, self.trees.bare))
        for number in range(self.plan.rounds):
            turn = number % len(writers)
            for contestant, url in writers[turn:] + writers[:turn]:
                if WRITING.name not in contestant.failures:
                    await self._write_round(contestant, url, number)
        self.say(f"{WRITING.name} {WRITING.title}: done")

    async def _write_round(self, contestant: Contestant, url: str, number: int) -> None:
        try:
            async with connected(url) as connection:
                sample = await round_of(contestant, connection, seconds=2 * self.plan.seconds)
        except FAILURES as error:
            contestant.fail(WRITING.name, error)
        else:
            contestant.samples.setdefault(WRITING.name, {})[number] = sample
        contestant.weigh()


async def _picked(url: str, workload: Workload) -> list[Ask]:
    async with connected(url) as connection:
        return await pick(connection, workload.name)


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
