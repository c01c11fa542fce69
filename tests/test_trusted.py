"""Trusted documents: asked for by their hash, optionally nothing else; and the command that writes them down."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commands import program
from schema.trusted import ManifestError, Trusted, document_id, read_manifest
from server import trusted_documents
from storage.settings import Settings, SettingsError
from tests.over_http import LEGACY, MODERN, client, codes, post

NAME = "query Name { name }"
ECHO = "query A { name } query B($text: String!) { echo(text: $text) }"
COUNT = "mutation { count }"
KNOWN = Trusted({document_id(text): text for text in (NAME, ECHO, COUNT)})
ONLY = Trusted(KNOWN.texts, only=True)


def test_an_id_is_the_standard_s() -> None:
    example = "query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}"
    assert document_id(example) == "sha256:7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e"


@pytest.mark.parametrize("trusted", [KNOWN, ONLY])
async def test_a_document_is_known_by_its_id(trusted: Trusted) -> None:
    answer = await post({"documentId": document_id(NAME)}, trusted=trusted)
    assert answer.json()["data"] == {"name": "广东省总工会"}
    wanted = {"documentId": document_id(ECHO), "operationName": "B", "variables": {"text": "x"}}
    assert (await post(wanted, trusted=trusted)).json()["data"] == {"echo": "x"}


@pytest.mark.parametrize("trusted", [KNOWN, ONLY])
async def test_a_link_may_name_it_but_not_a_mutation(trusted: Trusted) -> None:
    async with client(trusted=trusted) as http:
        answer = await http.get("/graphql", params={"documentId": document_id(NAME)})
        refused = await http.get("/graphql", params={"documentId": document_id(COUNT)})
    assert answer.json()["data"] == {"name": "广东省总工会"}
    assert (refused.status_code, codes(refused)) == (405, ["METHOD_NOT_ALLOWED"])


@pytest.mark.parametrize("answered", [(LEGACY, 200), (MODERN, 400)])
@pytest.mark.parametrize("unknown", [document_id("{ name }"), "sha256:", "", NAME, document_id(NAME).upper()])
async def test_an_unknown_id_is_a_single_error(unknown: str, answered: tuple[str, int]) -> None:
    accept, status = answered
    context = {"opened": 0}
    refused = await post({"documentId": unknown}, trusted=KNOWN, accept=accept, context=context)
    assert (refused.status_code, codes(refused)) == (status, ["PERSISTED_DOCUMENT_NOT_FOUND"])
    assert context == {"opened": 0}


async def test_other_documents_are_taken_unless_only_these_are() -> None:
    other = {"query": "{ name }"}
    assert (await post(other, trusted=KNOWN)).json()["data"] == {"name": "广东省总工会"}
    assert codes(await post(other, trusted=ONLY)) == ["PERSISTED_DOCUMENT_REQUIRED"]
    assert (await post({"query": NAME}, trusted=ONLY)).json()["data"] == {"name": "广东省总工会"}


async def test_a_trusted_document_is_held_to_the_limits() -> None:
    long = "{ " + "name " * 501 + "}"
    assert codes(await post({"documentId": document_id(long)}, trusted=Trusted({document_id(long): long}))) == [
        "DOCUMENT_TOO_COMPLEX"
    ]


# ── the manifest ─────────────────────────────────────────────────────────────────────────────


def written(folder: Path, content: object) -> Path:
    file = folder / "manifest.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_a_hash_may_stand_without_its_prefix(tmp_path: Path) -> None:
    bare = sha256(NAME.encode()).hexdigest()
    assert read_manifest(written(tmp_path, {bare: NAME})).texts == {f"sha256:{bare}": NAME}


@pytest.mark.parametrize("content", ["{", "[]", {"a": 1}, {document_id(NAME): ECHO}, {"": ""}, {"md5:0": NAME}])
def test_a_manifest_that_does_not_say_what_it_holds_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ManifestError):
        read_manifest(written(tmp_path, content))


async def test_the_server_does_not_start_without_its_manifest(settings: Settings, tmp_path: Path) -> None:
    def told(**given: Any) -> str:
        with pytest.raises(SettingsError) as refused:
            trusted_documents(settings.model_copy(update=given))
        return str(refused.value)

    assert "nowhere.json cannot be read" in told(trusted_documents=tmp_path / "nowhere.json")
    assert "needs TRUSTED_DOCUMENTS" in told(trusted_documents_only=True)
    file = written(tmp_path, {document_id(NAME): NAME})
    given = {"trusted_documents": file, "trusted_documents_only": True}
    assert trusted_documents(settings.model_copy(update=given)) == Trusted({document_id(NAME): NAME}, only=True)


# ── the command ──────────────────────────────────────────────────────────────────────────────


def run(*words: str | Path) -> Any:
    return CliRunner().invoke(program, ["documents", *map(str, words)])


def test_the_command_writes_a_manifest_that_the_server_takes(tmp_path: Path) -> None:
    queries, manifest = tmp_path / "queries", tmp_path / "manifest.json"
    (queries / "cards").mkdir(parents=True)
    card = "query Card($code: String!) { invite(code: $code) { id } }\n"
    (queries / "cards" / "card.graphql").write_text(card)
    (queries / "me.graphql").write_text("{ viewer { account { realName } } }")
    (queries / "notes.txt").write_text("no document")

    said = run(queries, "-o", manifest)
    assert said.exit_code == 0, said.output
    assert json.loads(said.output)["documents"]["cards/card.graphql"] == document_id(card)
    texts = read_manifest(manifest).texts
    assert len(texts) == 2 and texts[document_id(card)] == card


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "1:2 Syntax Error"),
        ("{ nothing }", "1:3 Cannot query field 'nothing' on type 'Query'."),
        ("{ roots { id } }" + " " * 20_000, "characters"),
        (
            "{ roots { a: children(first: 100) { nodes { children(first: 100) { nodes { id name kind path } } } } } }",
            "cost",
        ),
        ("fragment F on Union { id }", "no operation"),
    ],
)
def test_a_document_that_would_be_refused_fails_the_whole(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "good.graphql").write_text("{ roots { id } }")
    (tmp_path / "bad.graphql").write_text(text)
    said = run(tmp_path, "-o", tmp_path / "manifest.json")
    assert said.exit_code == 1
    assert "bad.graphql:" in said.output and fault in said.output and "good" not in said.output
    assert not (tmp_path / "manifest.json").exists()


def test_a_folder_without_documents_is_a_mistake(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code == 1
    (tmp_path / "latin.graphql").write_bytes(b"\xff")
    assert run(tmp_path).exit_code == 1
