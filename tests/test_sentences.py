"""What is said to people: every word of the API in both languages, and every gap filled in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from string import Formatter
from typing import Final

from models.duplicates import Likeness
from models.errors import Code, Doubt
from models.event import Happening
from models.permissions import Role
from models.review import State
from schema.messages_en import EN
from schema.messages_zh import ZH
from tests.sources import PRODUCTION


def _parameters(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_both_languages_say_the_same() -> None:
    assert ZH.keys() == EN.keys(), "A sentence is missing in one language."
    differing = {key: (ZH[key], EN[key]) for key in ZH if _parameters(ZH[key]) != _parameters(EN[key])}
    assert differing == {}, "Both sentences are filled in with the same parameters."


def test_every_word_of_the_api_has_its_sentence() -> None:
    needed = [
        *Doubt,
        *(f"status.{state}" for state in State),
        *(f"duplicate.{likeness}" for likeness in Likeness),
        *(f"role.{role}" for role in Role),
        *(f"event.{happening}" for happening in Happening),
    ]
    assert [key for key in needed if key not in ZH] == [], "Add them to schema/messages_zh.py and messages_en.py."
    speechless = [code for code in Code if not any(key == code or key.startswith(f"{code}.") for key in ZH)]
    assert speechless == [], "Whoever is refused with this code is told nothing: add its sentence."


# Callables that make a problem, with where a `why` stands among their positional arguments.
MAKERS: Final = {"Problem": 2, "note": None, "_refusal": 1}


def _problems() -> Iterator[tuple[str, str, set[str] | None]]:
    """Every `Code` that is refused with in the code: where, the key of its sentence, and what fills it in."""
    for name, tree in PRODUCTION.items():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and (code := _code_of(call)) is not None:
                for why in _whys_of(call):
                    yield f"{name}:{call.lineno}", f"{code}.{why}" if why else code, _given_to(call)


def _code_of(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    named = isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "Code"
    return first.attr if named and isinstance(first, ast.Attribute) and _maker(call) in MAKERS else None


def _maker(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _whys_of(call: ast.Call) -> list[str]:
    """What `why` can be; a single empty one where there is none. Of an expression, every text in it."""
    place = MAKERS[_maker(call)]
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "why"), None)
    if given is None and place is not None and len(call.args) > place:
        given = call.args[place]
    if given is None:
        return [""]
    return [part.value for part in ast.walk(given) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _given_to(call: ast.Call) -> set[str]:
    """The names of the parameters that the call hands over."""
    if _maker(call) != "Problem":
        return {str(keyword.arg) for keyword in call.keywords} - {"why"}
    dictionaries = [*call.args[3:], *(keyword.value for keyword in call.keywords if keyword.arg == "params")]
    return {
        str(key.value)
        for dictionary in dictionaries
        if isinstance(dictionary, ast.Dict)
        for key in dictionary.keys
        if isinstance(key, ast.Constant)
    }


def test_every_refusal_in_the_code_has_its_sentence_and_what_fills_it_in() -> None:
    refusals = list(_problems())
    assert len(refusals) > 50, "The collector no longer understands how problems are made."
    silent = [f"{where} {key}" for where, key, _ in refusals if key not in ZH]
    assert silent == [], "Telling this problem would fail: add its sentence to both catalogues."
    unfilled = [
        f"{where} {key}" for where, key, given in refusals if key in ZH and not _parameters(ZH[key]) <= (given or set())
    ]
    assert unfilled == [], "The sentence has a gap that this call does not fill in."


def test_a_state_that_forbids_a_move_has_its_sentence() -> None:
    assert [state for state in State if f"WRONG_STATE.{state.lower()}" not in ZH] == []
