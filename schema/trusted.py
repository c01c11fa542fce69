"""Trusted documents: those that a client's build has written down, asked for by their hash.

After the appendix on persisted documents of GraphQL over HTTP: `documentId` is `sha256:` and the hash of the text in
lower case. The manifest is a JSON object of ids and texts; `server.py documents` makes it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, validate

from schema.costs import price
from schema.limits import DEFAULTS, Limits, read_document, too_complex
from schema.parameters import Parameters
from schema.refusals import Refusal

PREFIX: Final = "sha256:"


class ManifestError(Exception):
    """The manifest cannot be used; says why in a plain sentence."""


@dataclass(frozen=True)
class Trusted:
    """The documents that are known by their ids; `only` if no others are taken."""

    texts: Mapping[str, str] = field(default_factory=dict)
    only: bool = False

    def named(self, parameters: Parameters) -> Parameters:
        """The same request with its document.

        Raises:
            GraphQLError: PERSISTED_DOCUMENT_NOT_FOUND, PERSISTED_DOCUMENT_REQUIRED.
        """
        if parameters.document_id is None:
            if self.only and document_id(parameters.query) not in self.texts:
                reason = "Only documents of the manifest are taken, by documentId."
                raise GraphQLError(reason, extensions={"code": Refusal.PERSISTED_DOCUMENT_REQUIRED})
            return parameters
        text = self.texts.get(parameters.document_id)
        if text is None:
            reason = "There is no document of that id."
            raise GraphQLError(reason, extensions={"code": Refusal.PERSISTED_DOCUMENT_NOT_FOUND})
        return parameters._replace(query=text)


def document_id(text: str) -> str:
    return PREFIX + sha256(text.encode()).hexdigest()


def read_manifest(file: Path, *, only: bool = False) -> Trusted:
    """The documents of a manifest. A hash may stand there without its prefix, as some tools write it.

    Raises:
        ManifestError: it cannot be read, or an id is not the hash of its text.
    """
    try:
        found = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ManifestError(f"{file} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ManifestError(f"{file} is not an object of ids and documents.")
    for given, text in found.items():
        if PREFIX + given.removeprefix(PREFIX) != document_id(text):
            raise ManifestError(f"{file}: {given[:80]} is not the sha256 of its document.")
    return Trusted({document_id(text): text for text in found.values()}, only)


def documents_in(folder: Path) -> dict[str, str]:
    """The .graphql files of a folder and those inside it: their texts by their names, in order."""
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.graphql"))
    }


def faults(schema: GraphQLSchema, text: str, limits: Limits = DEFAULTS) -> Iterator[str]:
    """Why this document would be refused, in plain sentences; nothing if it would be taken."""
    try:
        document = read_document(text, limits)
    except GraphQLError as error:
        yield _placed(error)
        return
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if not operations:
        yield "There is no operation in it."
    invalid = validate(schema, document)
    yield from map(_placed, invalid)
    for operation in [] if invalid else operations:
        cost = price(schema, document, operation).fixed
        if cost > limits.cost:
            yield _placed(too_complex("cost", limits.cost, requested=cost))


def _placed(error: GraphQLError) -> str:
    return ", ".join(f"{place.line}:{place.column}" for place in error.locations or ()) + f" {error.message}"
