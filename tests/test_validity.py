"""A document is valid here exactly if graphql-core says so, rule by rule."""

from __future__ import annotations

from typing import Final

import pytest
from graphql import parse, specified_rules, validate

from schema.build import build_schema
from schema.reading.validity import IDLE, is_valid

SCHEMA: Final = build_schema()._schema
VALID: Final = [
    "{ roots { id } }",
    "query A($a: ID!) { union(id: $a) { ...F } } query B { roots { ...F } } fragment F on Union { id name }",
    'mutation { signIn(input: {phone: "1", password: "2"}) { token } }',
]
# Each breaks the rule that it stands beside.
INVALID: Final = {
    "ExecutableDefinitionsRule": "type A { a: Int } { roots { id } }",
    "KnownOperationTypesRule": "subscription { a }",
    "UniqueOperationNamesRule": "query A { roots { id } } query A { roots { id } }",
    "LoneAnonymousOperationRule": "{ roots { id } } query A { roots { id } }",
    "KnownTypeNamesRule": "query($a: Nope) { union(id: $a) { id } }",
    "FragmentsOnCompositeTypesRule": "{ ... on String { a } }",
    "VariablesAreInputTypesRule": "query($a: Union) { union(id: $a) { id } }",
    "ScalarLeafsRule": "{ roots }",
    "FieldsOnCorrectTypeRule": "{ nope }",
    "UniqueFragmentNamesRule": "{ roots { ...F } } fragment F on Union { id } fragment F on Union { id }",
    "KnownFragmentNamesRule": "{ roots { ...F } }",
    "NoUnusedFragmentsRule": "{ roots { id } } fragment F on Union { id }",
    "PossibleFragmentSpreadsRule": "{ roots { ... on Account { id } } }",
    "NoFragmentCyclesRule": "{ roots { ...F } } fragment F on Union { ...F }",
    "UniqueVariableNamesRule": "query($a: ID!, $a: ID!) { union(id: $a) { id } }",
    "NoUndefinedVariablesRule": "{ union(id: $a) { id } }",
    "NoUnusedVariablesRule": "query($a: ID) { roots { id } }",
    "KnownDirectivesRule": "{ roots { ...F @defer } } fragment F on Union { children { nodes @stream { id } } }",
    "UniqueDirectivesPerLocationRule": "{ roots @skip(if: true) @skip(if: true) { id } }",
    "KnownArgumentNamesRule": "{ roots(nope: 1) { id } }",
    "UniqueArgumentNamesRule": '{ union(id: "a", id: "b") { id } }',
    "ValuesOfCorrectTypeRule": "{ union(id: {}) { id } }",
    "ProvidedRequiredArgumentsRule": "{ union { id } }",
    "VariablesInAllowedPositionRule": "query($a: String) { union(id: $a) { id } }",
    "OverlappingFieldsCanBeMergedRule": "{ roots { a: id a: name } }",
    "UniqueInputFieldNamesRule": 'mutation { signIn(input: {phone: "1", phone: "2", password: "3"}) { token } }',
    "MaxIntrospectionDepthRule": "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
}


@pytest.mark.parametrize("document", VALID)
def test_what_is_valid_is(document: str) -> None:
    assert validate(SCHEMA, parse(document)) == []
    assert is_valid(SCHEMA, parse(document))


@pytest.mark.parametrize(
    "rule", [rule for rule in specified_rules if rule.__name__ not in IDLE], ids=lambda rule: rule.__name__
)
def test_what_breaks_a_rule_is_not(rule: type) -> None:
    document = parse(INVALID[rule.__name__])
    assert validate(SCHEMA, document, [rule])
    assert not is_valid(SCHEMA, document)
