"""Plants a tree, starts the contestants, loads them in turns and prints how they compare: `make bench`.

A refusal is a sentence on standard error and exit status 1.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import click

from benchmarks import report
from benchmarks.client import AnswerError
from benchmarks.contest import ASIDES, SMALL, Contest, Plan, Trees, opened
from benchmarks.database import cluster, execute, url_of
from benchmarks.load import run
from benchmarks.plant import OutdatedError, PlantingError, plant
from benchmarks.servers import StartError
from benchmarks.tree import SMALLEST
from benchmarks.workloads import READS
from benchmarks.writing import WRITING
from storage.cluster import Cluster, ClusterError
from storage.settings import SettingsError

BARE: Final = Path(__file__).parent / "bare.sql"
PLAYED: Final = (*sorted(workload.name for workload in [*READS, WRITING]), ASIDES)
RIVALS: Final = ("limit", "stock", "postgraphile")
_FAULTS: Final = (*(AnswerError, ClusterError, PlantingError, SettingsError, StartError, OSError),)

say = partial(click.echo, err=True)


@click.command(help=__doc__)
@click.option("--size", type=click.IntRange(min=SMALLEST), default=SMALL, show_default=True, help="Unions to plant.")
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Rounds of each workload.")
@click.option("--seconds", type=float, default=1.0, show_default=True, help="How long a round takes at least.")
@click.option("--only", multiple=True, type=click.Choice(PLAYED), help="These alone; `asides` are what is no rate.")
@click.option("--without", multiple=True, type=click.Choice(RIVALS), help="Leave somebody out.")
@click.option("--plant-only", is_flag=True, help="Plant, and measure nothing.")
def main(  # noqa: PLR0913 - one for each option
    size: int, rounds: int, seconds: float, only: list[str], without: list[str], *, plant_only: bool
) -> None:
    plan = Plan(size, rounds, seconds, frozenset(only), frozenset(without))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the contestants would be left running
    try:
        with cluster() as embedded:
            trees = _planted(embedded, plan)
            if plant_only:
                return
            with opened(plan, _with_bare(embedded, plan, trees), say) as contest:
                run(contest.play())
        _print(contest)
        sys.exit(1 if any(one.failures for one in contest.everybody) else 0)
    except _FAULTS as error:
        click.echo(str(error) or type(error).__name__, err=True)
        sys.exit(1)


def _planted(embedded: Cluster | None, plan: Plan) -> Trees:
    url = _tree(embedded, plan.size)
    return Trees(url, _tree(embedded, SMALL) if embedded and plan.size > SMALL else None)


def _with_bare(embedded: Cluster | None, plan: Plan, trees: Trees) -> Trees:
    """Anew each time: what the last run registered is in the tree that it is a copy of."""
    if embedded is None or not plan.has(WRITING.name):
        return trees
    name = f"bench_{plan.size}"
    embedded.drop_database(f"{name}_bare")
    bare = embedded.create_database(f"{name}_bare", template=name)
    run(execute(bare, BARE.read_text()))
    return replace(trees, bare=bare)


def _tree(embedded: Cluster | None, size: int) -> str:
    """The URL of a database with a tree of this size, planted anew if what is there is outdated and our own."""
    url = url_of(embedded, size)
    try:
        run(plant(url, size, say))
    except OutdatedError:
        if embedded is None:
            raise
        embedded.drop_database(f"bench_{size}")
        run(plant(url_of(embedded, size), size, say))
    return url


def _print(contest: Contest) -> None:
    titles = {workload.name: workload.title for workload in [*READS, WRITING]}
    plan = contest.plan
    click.echo(report.machine(plan.size, plan.rounds, plan.seconds) + "\n")
    click.echo("\n".join(report.table(contest.contestants, dict(sorted(titles.items())))) + "\n")
    click.echo("\n".join(report.tabulated(contest.asides)) + "\n")
    click.echo("\n".join(report.processor(contest.everybody, sorted(titles))) + "\n")
    for line in [report.memory(contest.everybody), *report.failures(contest.everybody)]:
        click.echo(f"- {line}")


if __name__ == "__main__":
    main()
