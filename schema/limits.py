"""How large a document may be, found out in linear time, before it is validated or anything is loaded.

Strawberry's own limiters follow a fragment anew at each spread, so that their work doubles with every
fragment of a hostile document. Here each fragment is measured once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, cast

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_operation_ast,
    parse,
)
from strawberry.extensions import SchemaExtension, ValidationCache
from typing_extensions import override

from schema.refusals import Refusal


@dataclass(frozen=True)
class Limits:
    """What one document may have. The introspection query of GraphiQL is 15 deep and has 230 fields.

    Depth, fields, aliases, roots, directives, spreads and repeats are counted in each operation with its fragments
    filled in. Repeats are the pairs of fields with one name in one selection: validation holds each against each, and
    a kilobyte of `q{a} q{a} …` took it half a second. Cost is what the answer may come to: costs.py.
    """

    characters: int = 20_000
    tokens: int = 2_000
    depth: int = 16
    fields: int = 500
    aliases: int = 30
    roots: int = 20
    directives: int = 50
    spreads: int = 60
    repeats: int = 300
    cost: int = 30_000


DEFAULTS: Final = Limits()


@dataclass(frozen=True)
class Size:
    """How much there is in a selection, with its fragments filled in."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    roots: int = 0
    directives: int = 0
    spreads: int = 0
    within: int = 0  # repeats, in what is selected below
    names: Counter[str] = field(default_factory=Counter)

    @property
    def repeats(self) -> int:
        return self.within + sum(times * (times - 1) // 2 for times in self.names.values())

    def beside(self, *others: "Size") -> "Size":
        """All in the same selection set."""
        sizes = (self, *others)
        names: Counter[str] = Counter()
        for size in sizes:
            names.update(size.names)
        return Size(
            max(size.depth for size in sizes),
            sum(size.fields for size in sizes),
            sum(size.aliases for size in sizes),
            sum(size.roots for size in sizes),
            sum(size.directives for size in sizes),
            sum(size.spreads for size in sizes),
            sum(size.within for size in sizes),
            names,
        )

    def under(self, node: FieldNode) -> "Size":
        """This selection set with the field that it belongs to."""
        return Size(
            self.depth + 1,
            self.fields + 1,
            self.aliases + (node.alias is not None),
            1,
            self.directives + len(node.directives or ()),
            self.spreads,
            self.repeats,
            Counter([(node.alias or node.name).value]),
        )


NOTHING: Final = Size()
# The first is for operations alone.
MEASURES: Final = ("roots", "depth", "fields", "aliases", "directives", "spreads", "repeats")


class Ruler:
    """Measures the definitions of one document, each fragment once."""

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self.limits = limits
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.measured: dict[str, Size] = {}

    def selections(self, node: SelectionSetNode | None, level: int = 0) -> Size:
        """The size of a selection set; `level` is how many we are inside of.

        Raises:
            GraphQLError: DOCUMENT_TOO_COMPLEX, when they are nested beyond any depth that could pass.
        """
        if node is None:
            return NOTHING
        if level > 4 * self.limits.depth:  # some slack, for levels that are fragments and add no depth
            raise too_complex("depth", self.limits.depth)
        return NOTHING.beside(*(self.selection(selection, level + 1) for selection in node.selections))

    def selection(self, node: SelectionNode, level: int) -> Size:
        directives = len(node.directives or ())
        if isinstance(node, FieldNode):
            return self.selections(node.selection_set, level).under(node)
        if isinstance(node, FragmentSpreadNode):
            spread = self.fragment(node.name.value, level).beside(Size(spreads=1))
        else:
            spread = self.selections(cast("InlineFragmentNode", node).selection_set, level)
        return spread.beside(Size(directives=directives))

    def fragment(self, name: str, level: int) -> Size:
        """The size of a fragment; of none, if there is no such fragment or it is a part of itself."""
        if name not in self.measured:
            self.measured[name] = NOTHING  # where a cycle ends; validation says that it is one
            if name in self.fragments:
                self.measured[name] = self.selections(self.fragments[name].selection_set, level)
        return self.measured[name]


def too_complex(limit: str, most: int, **more: int) -> GraphQLError:
    return GraphQLError(
        f"The document is too complex. The most it may have of {limit}: {most}.",
        extensions={"code": Refusal.DOCUMENT_TOO_COMPLEX, "limit": limit, "most": most, **more},
    )


def check(document: DocumentNode, limits: Limits) -> None:
    """Every definition of a document, used or not, since validation walks them all.

    Raises:
        GraphQLError: DOCUMENT_TOO_COMPLEX.
    """
    ruler = Ruler(document, limits)
    for definition in document.definitions:
        if isinstance(definition, ExecutableDefinitionNode):
            own = Size(directives=len(definition.directives or ()))
            size = ruler.selections(definition.selection_set).beside(own)
            for limit in MEASURES if isinstance(definition, OperationDefinitionNode) else MEASURES[1:]:
                if getattr(size, limit) > getattr(limits, limit):
                    raise too_complex(limit, getattr(limits, limit))


def read_document(text: str, limits: Limits = DEFAULTS) -> DocumentNode:
    """The parsed document, the same object for the same text; as `is_kept` says.

    Raises:
        GraphQLError: GRAPHQL_PARSE_FAILED, DOCUMENT_TOO_COMPLEX.
    """
    return kept(text, limits) if is_kept(text) else parsed(text, limits)


def is_kept(text: str) -> bool:
    """Whether anything may be remembered of a document: of a mutation with texts in it, nothing is.

    They belong into variables, but somebody's ID number or password may stand there.
    """
    return '"' not in text or "mutation" not in text


def parsed(text: str, limits: Limits) -> DocumentNode:
    """Raises: as read_document."""
    if len(text) > limits.characters:
        raise too_complex("characters", limits.characters)
    try:
        document = parse(text, max_tokens=limits.tokens)
    except GraphQLSyntaxError as error:
        if error.message.endswith("Parsing aborted."):  # the only mark of its own limits on tokens and nesting
            raise too_complex("tokens", limits.tokens) from None
        error.extensions = {"code": Refusal.GRAPHQL_PARSE_FAILED}
        raise
    check(document, limits)
    return document


kept: Final = lru_cache(maxsize=128)(parsed)  # a full-sized document is half a megabyte


def chosen_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run. (Left to itself, Strawberry takes the first of several.)

    Raises:
        GraphQLError: OPERATION_RESOLUTION_FAILURE.
    """
    operation = get_operation_ast(document, name)
    if operation is None:
        reason = "There is no operation of that name." if name is not None else "Say which operation: operationName."
        raise GraphQLError(reason, extensions={"code": Refusal.OPERATION_RESOLUTION_FAILURE})
    return operation


class DocumentLimits(SchemaExtension):
    """Keeps whatever a schema executes within limits; the endpoint's own look at the document is not repeated."""

    def __init__(self, limits: Limits = DEFAULTS) -> None:
        self.limits = limits

    @override
    def on_parse(self) -> Iterator[None]:
        self.execution_context.graphql_document = read_document(self.execution_context.query or "", self.limits)
        yield


class Validation(ValidationCache):
    """Validates a document once. It costs more than most answers, and the same documents come again and again."""

    @override
    def on_validate(self) -> Iterator[None]:
        if is_kept(self.execution_context.query or ""):
            yield from super().on_validate()
        else:
            yield
