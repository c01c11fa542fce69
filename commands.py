"""The operator's command line: `python server.py COMMAND`.

Each command prints one JSON object on success. A refusal is a plain sentence on standard error
and exit status 1; words that the command line does not know are status 2.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final

import click
import orjson

import upkeep
from console import bring_up_to_date, plainly, progress_bar, refuse, run, say, told, with_database, with_resources
from models.account import Session
from models.permissions import Role
from resolvers import founding
from resolvers.context import Resources
from resolvers.demo import Demo, Person, plant_demo
from resolvers.importing import Outcome, import_tree
from resolvers.invites import link
from resolvers.keys import require_own_keys
from schema import trusted
from schema.build import build_schema
from serving import serve_on
from storage import invites, unions, verification
from storage.file_verification import damaged
from storage.qr import qr_terminal
from storage.settings import Settings, generate_secrets, load_settings
from storage.verification import Difference, differences

SDL: Final = Path(__file__).parent / "schema" / "schema.graphql"


@click.group(help=__doc__)
def program() -> None: ...


@program.command()
@click.option("--workers", type=click.IntRange(1, 64), help="How many processes; else the setting WORKERS.")
def serve(workers: int | None) -> None:
    """Migrate, then serve. Brings its own database, with a demo province, if there is no DATABASE_URL."""
    with plainly():
        wanted = load_settings(os.environ)
        logging.basicConfig(level=wanted.log_level.upper(), format="%(levelname)s:     %(message)s")
        with _listening(wanted) as listener, with_database() as settings:
            asyncio.run(_prepare(settings, embedded=wanted.database_url is None))
            serve_on(listener, settings, workers or settings.workers)


def _listening(settings: Settings) -> socket.socket:
    """The socket to serve on, taken before anything else is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        refuse(f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. HOST and PORT say where.")


async def _prepare(settings: Settings, *, embedded: bool) -> None:
    await bring_up_to_date(settings)
    async with with_resources(settings) as resources:
        await require_own_keys(resources)
        if not embedded:
            return
        async with resources.db.reading() as session:
            root = await unions.any_root(session)
        if root is None:
            await plant_demo(resources, _introduce)
        await _show_code(resources)


def _introduce(people: list[Person]) -> None:
    click.echo("\n正在植入示例省份。以下密码只显示这一次：")
    click.echo("Planting a demo province. These passwords are shown this once:\n")
    for person in people:
        click.echo(f"  {person.phone}  {person.password}  {person.name}  {person.part}")


async def _show_code(resources: Resources) -> None:
    """The root's newest open code, as its 组织登记二维码."""
    async with resources.db.reading() as session:
        root = await unions.any_root(session)
        invite = await invites.newest_open(session, root.id) if root else None
    if root is None or invite is None:
        return
    url = link(resources.settings, invite.token)
    click.echo(f"\n{root.name} 组织登记二维码：{url}\n")
    click.echo(qr_terminal(url))
    click.echo(f"\nGraphiQL: {resources.settings.public_url}/graphiql\n")


@program.command("migrate")
def migrate_command() -> None:
    """Bring the database to this version's schema and regions."""
    with plainly(), with_database() as settings:
        say(revision=asyncio.run(bring_up_to_date(settings)))


@program.command()
def demo() -> None:
    """Plant the demo province into an empty database."""

    async def work(resources: Resources) -> Demo:
        async with resources.db.reading() as session:
            if await unions.any_root(session) is not None:
                refuse(
                    "数据库中已有工会，示例只植入空库。 There are unions already; the demo is for an empty database."
                )
        return await plant_demo(resources, lambda _: None)

    planted = run(work)
    say(
        unions=planted.unions,
        invite=planted.founded.invite.token,
        accounts=[
            {"phone": person.phone, "password": person.password, "name": person.name, "part": person.part}
            for person in planted.people
        ],
    )


@program.command()
@click.argument("name")
@click.option("--region", required=True, metavar="CODE", help="GB/T 2260 code, such as 440000.")
@click.option("--contact-phone", metavar="PHONE", help="Shown on its card.")
def root(name: str, region: str, contact_phone: str | None) -> None:
    """Found a union that nothing lies above, with a first code to share."""

    async def work(resources: Resources) -> None:
        founded = await founding.found_root(resources, name, region, contact_phone)
        say(
            name=founded.union.name,
            path=str(founded.union.path),
            invite=founded.invite.token,
            url=link(resources.settings, founded.invite.token),
        )

    run(work)


@program.command()
@click.argument("phone")
@click.option("--name", required=True, help="The person's real name.")
@click.option("--verified", is_flag=True, help="Vouch for the real name.")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def account(phone: str, name: str, verified: bool, password_stdin: bool) -> None:  # noqa: FBT001 - click's way
    """Create an account that signs in with a password."""
    assert password_stdin
    password = sys.stdin.readline().rstrip("\r\n")

    async def work(resources: Resources) -> None:
        made = await founding.create_account(resources, phone, name, password=password, verified=verified)
        say(phone=made.phone, name=made.real_name, verified=verified)

    run(work)


@program.command()
@click.argument("phone")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def password(phone: str, password_stdin: bool) -> None:  # noqa: FBT001 - click's way
    """Set the password of an account anew, and end its sign-ins."""
    assert password_stdin
    chosen = sys.stdin.readline().rstrip("\r\n")

    async def work(resources: Resources) -> None:
        changed = await founding.set_password(resources, phone, chosen)
        say(phone=changed.phone, name=changed.real_name)

    run(work)


@program.command()
@click.argument("phone")
def sessions(phone: str) -> None:
    """List the sign-ins of an account."""

    async def work(resources: Resources) -> None:
        found = await founding.sessions_of(resources, phone)
        say(sessions=[_shown(one) for one in found])

    run(work)


def _shown(session: Session) -> dict[str, object]:
    times = {"since": session.created_at, "used": session.used_at, "until": session.expires_at}
    return {"session": session.id, "program": session.program, "secondFactor": session.by_second_factor, **times}


@program.command()
@click.argument("phone")
@click.option("--session", type=int, metavar="NUMBER", help="Only this one, as `sessions` numbers them.")
def signout(phone: str, session: int | None) -> None:
    """End the sign-ins of an account: all, or one."""

    async def work(resources: Resources) -> None:
        say(phone=phone, ended=await founding.end_sessions(resources, phone, session))

    run(work)


@program.command("second-factor")
@click.argument("phone")
@click.option("--remove", is_flag=True, required=True, help="Ask for no code any more, and end the sign-ins.")
def second_factor(phone: str, remove: bool) -> None:  # noqa: FBT001 - click's way
    """Take the second factor from an account whose owner has lost it, and the recovery codes with it."""
    assert remove

    async def work(resources: Resources) -> None:
        changed = await founding.remove_second_factor(resources, phone)
        say(phone=changed.phone, name=changed.real_name)

    run(work)


@program.command()
@click.argument("phone")
@click.option("--union", "path", required=True, metavar="PATH", help="Its place in the tree, such as 1.2f.")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.lower() for role in Role], case_sensitive=False),
    help="What the appointment is for.",
)
def appoint(phone: str, path: str, role: str) -> None:
    """Appoint somebody: how a tree gets its first administrator."""

    async def work(resources: Resources) -> None:
        made = await founding.appoint_by_operator(resources, phone, path, Role(role.upper()))
        say(phone=phone, union=path, role=made.role.value, since=made.since)

    run(work)


@program.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--under", metavar="PATH", help="The union that all of it goes below, such as 1.2f; without it, roots.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
def import_command(file: Path, under: str | None, dry_run: bool) -> None:  # noqa: FBT001 - click's way
    """Bring in a tree from CSV or XLSX: all of it, or nothing and every fault by line and column.

    Columns, in any order, in Chinese or in English: 编号 ref, 上级编号 parent_ref, 工会名称 name, 工会类型 kind,
    行政区划代码 region_code, 统一社会信用代码 uscc, 联系电话 contact_phone and others; README.md has them all.
    """
    with progress_bar(file.name) as progress:

        async def work(resources: Resources) -> Outcome:
            return await import_tree(resources, file, under, dry_run=dry_run, progress=progress)

        outcome = run(work, as_owner=True)
    counted = {name: getattr(outcome, name) for name in ("rows", "created", "known", "untold")}
    say(file=outcome.words, dryRun=dry_run, **counted, faults=[told(fault) for fault in outcome.faults])
    if outcome.faults:
        refuse("未导入任何工会。 Nothing was imported.")


@program.command()
def verify() -> None:
    """Compute paths, ancestors, counts and the photos' SHA-256 anew, and report each that is not as stored."""

    async def work(resources: Resources) -> tuple[dict[str, int], int]:
        found = 0
        async with resources.db.standing_still() as session:
            for every in (differences(session), damaged(session, resources.files)):
                async for difference in every:
                    found += 1
                    click.echo(_told(difference), err=True)
            return await verification.counted(session), found

    counted, found = run(work, as_owner=True)
    if found:
        refuse(f"发现 {found} 处不一致。 {found} differences. 处理办法见 docs/architecture.md, which says what to do.")
    say(**counted, differences=0)


def _told(found: Difference) -> str:
    what, stored, should = f"{found.table} {found.id} {found.what}", found.stored or "—", found.computed or "—"
    return f"{what}：现为 {stored}，应为 {should}。 {what}: is {stored}, should be {should}."


@program.command()
def keys() -> None:
    """Print fresh secrets, to be set in the environment."""
    say(**generate_secrets())


@program.command()
@click.option("--check", is_flag=True, help="Only say whether schema/schema.graphql is what is served.")
def schema(**options: Any) -> None:
    """Write the served schema to schema/schema.graphql."""
    served = build_schema().as_str() + "\n"
    if options["check"]:
        if not SDL.exists() or SDL.read_text() != served:
            refuse("schema/schema.graphql is not what is served: run `make schema` and read the difference.")
    else:
        SDL.write_text(served)
    say(schema=SDL.name, bytes=len(served.encode()))


@program.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The manifest to write.")
def documents(folder: Path, output: Path | None) -> None:
    """Write down a client's documents, the .graphql files of FOLDER, by their hashes: a manifest for TRUSTED_DOCUMENTS.

    Prints the id of each file, for the client's build. A document that would be refused fails the whole.
    """
    try:
        found = trusted.documents_in(folder)
    except ValueError as error:
        refuse(f"{folder}: {error}")
    served = build_schema()._schema  # noqa: SLF001 - Strawberry has no other way to it
    wrong = [f"{name}:{fault}" for name, text in found.items() for fault in trusted.faults(served, text)]
    if wrong or not found:
        refuse("\n".join(wrong or [f"There is no .graphql file in {folder}."]))
    ids = {name: trusted.document_id(text) for name, text in found.items()}
    if output is not None:
        manifest = {ids[name]: text for name, text in found.items()}
        output.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    say(documents=ids)


for command in upkeep.COMMANDS:
    program.add_command(command)


def main() -> None:
    program(prog_name="server.py")
