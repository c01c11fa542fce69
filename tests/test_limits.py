"""How large a document may be."""

import time

import pytest
from graphql import GraphQLError, get_introspection_query

from schema.limits import Limits, chosen_operation, read_document


def refused(document: str, limits: Limits) -> str | None:
    """The limit that a document exceeds."""
    try:
        read_document(document, limits)
    except GraphQLError as error:
        return str((error.extensions or {})["limit"])
    return None


@pytest.mark.parametrize(
    ("limit", "most", "document"),
    [
        ("characters", 11, "{ a b c d }"),
        ("tokens", 8, "{ a(b: 1) }"),
        ("depth", 3, "{ a { b { c } } }"),
        ("depth", 3, "{ a { ...f } } fragment f on B { b { c } }"),
        ("depth", 3, "{ a { ... { b { ... @include(if: true) { c } } } } }"),
        ("depth", 3, "query A { a } query B { a { b { c } } }"),
        ("fields", 3, "{ a b c }"),
        ("fields", 5, "{ a { ...f } b { ...f } c } fragment f on B { d }"),
        ("fields", 3, "{ a } fragment unused on B { a b c }"),
        ("aliases", 2, "{ x: a { y: b } }"),
        ("aliases", 4, "{ ...f b { ...f } } fragment f on A { x: a y: a }"),
        ("roots", 3, "{ a ... { b } ...f } fragment f on Query { c }"),
        ("directives", 4, "query @a { b @a ... @a { c } ...f @a } fragment f on B { d }"),
        ("directives", 3, "{ ...f ...f ...f } fragment f on B { d @a }"),
        ("spreads", 3, "{ ...f a { ...f ... { ...f } } } fragment f on B { b }"),
        ("repeats", 3, "{ a { b } a { b } a { b } }"),
        ("repeats", 2, "{ a ...f b ... { b } } fragment f on A { a }"),
        ("repeats", 1, "{ a { b ...f } c { b } } fragment f on B { b { a } }"),
    ],
)
def test_as_much_as_allowed_and_no_more(limit: str, most: int, document: str) -> None:
    assert refused(document, Limits(**{limit: most})) is None
    assert refused(document, Limits(**{limit: most - 1})) == limit


def test_a_fragment_may_have_more_fields_than_an_operation_has_roots() -> None:
    assert refused("{ a { ...f } } fragment f on B { b c d }", Limits(roots=1)) is None


@pytest.mark.parametrize(
    "document",
    [
        "{ ...f } fragment f on A { ...f }",
        "{ ...f } fragment f on A { a { ...g } } fragment g on A { a { ...f } }",
        "{ ...nowhere }",
        "type A { a: Int } { a }",
    ],
)
def test_what_validation_will_refuse_is_measured_all_the_same(document: str) -> None:
    assert refused(document, Limits()) is None


def bomb(fragments: int) -> str:
    """Each fragment holds the next one twice: short to write, and 2 ** fragments fields."""
    chain = (f"fragment f{n} on Q {{ q {{ ...f{n + 1} }} p {{ ...f{n + 1} }} }}" for n in range(fragments))
    return " ".join(["{ ...f0 }", *chain, f"fragment f{fragments} on Q {{ a }}"])


@pytest.mark.parametrize(
    ("document", "limit"),
    [
        (bomb(14), "fields"),
        (bomb(100), "depth"),
        ("{ ...f0 } " + " ".join(f"fragment f{n} on Q {{ ...f{n + 1} }}" for n in range(200)), "depth"),
        ("{ ... " * 150 + "{ a }" + " }" * 150, "depth"),
        ("{ a " * 300 + "}" * 300, "tokens"),
        ("{ a }" + "#\n" * 9000, "tokens"),
        # Validation compares fields of one name with each other, and fragments: these took it half a second.
        ("{ q { " + "q { a } " * 245 + "} }", "repeats"),
        ("{ q { " + " ".join(f"...f{n}" for n in range(200)) + " } } fragment f0 on Q { a }", "spreads"),
    ],
)
def test_a_hostile_document_is_refused_at_once(document: str, limit: str) -> None:
    started = time.perf_counter()
    assert refused(document, Limits()) == limit
    assert time.perf_counter() - started < 0.5


def test_names_that_differ_are_no_repeats() -> None:
    assert refused("{ a b c { a b c } x: a y: a z: a }", Limits(repeats=0)) is None


def test_graphiql_may_introspect() -> None:
    everything = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )
    assert refused(everything, Limits()) is None
    assert refused(everything, Limits(depth=14)) == "depth"


def test_a_document_is_read_once() -> None:
    assert read_document("{ a }") is read_document("{ a }")


def test_a_document_with_somebodys_number_is_not_kept() -> None:
    stated = 'mutation { register(input: { legalPersonIdNumber: "440524188001010014" }) { a } }'
    assert read_document(stated) is not read_document(stated)
    given = "mutation($input: I!) { register(input: $input) { a } }"
    assert read_document(given) is read_document(given)


def test_the_one_operation_needs_no_name() -> None:
    document = read_document("query A { a } fragment f on A { a }")
    assert chosen_operation(document, None) is chosen_operation(document, "A")
