"""Values that somebody sends who means no good, as JSON text: some of them no JSON library would write."""

from __future__ import annotations

from typing import Final

import orjson

LONG: Final = "x" * 600_000

# Of each text: what nobody's name, reason or code holds.
TEXTS: Final = {
    "nul": '"a\\u0000b"',
    "lone surrogate": '"a\\ud800"',
    "bidi override": '"\\u202egnol"',
    "isolate": '"a\\u2066b"',
    "zero width": '"a\\u200bb"',
    "private use": '"\\ue000"',
    "unassigned": '"\\u0378"',
    "no character": '"\\uffff"',
    "a letter with sixty marks": orjson.dumps("a" + "\u0316" * 60).decode(),
    "a mark alone": '"\\u0316"',
    "escape": '"\\u001b[31m"',
    "very long": orjson.dumps(LONG).decode(),
}
IDS: Final = {
    "empty": '""',
    "padded": '"VW5pb246MQ=="',  # Union:1, as other libraries write it
    "leading zero": '"VW5pb246MDE"',
    "plus": '"VW5pb246KzE"',
    "other digits": orjson.dumps("VW5pb2466aGx").decode(),
    "too large": '"VW5pb246OTk5OTk5OTk5OTk5OTk5OTk5OTk"',
    "not base64": '"工会:1"',
    "a bare number": '"1"',
    "another table": '"QWNjb3VudDox"',  # Account:1
    "no table": '"Tm90aGluZzox"',
}
NUMBERS: Final = {
    "below": "-1",
    "least": str(-(2**31)),
    "beyond": str(2**31),
    "beyond 64 bits": str(2**64),
    "many digits": "9" * 5000,
    "fraction": "1.5",
    "NaN": "NaN",
    "infinity": "Infinity",
    "huge": "1e400",
    "text": '"1"',
    "boolean": "true",
}
MOMENTS: Final = {
    "text": '"tomorrow"',
    "no offset": '"2030-01-01T00:00:00"',
    "no such day": '"2030-02-30T00:00:00Z"',
    "before all years": '"0001-01-01T00:00:00+23:59"',
    "after all years": '"9999-12-31T23:59:59-23:59"',
    "past": '"1999-01-01T00:00:00Z"',
    "number": "1893456000",
    "in eight thousand years": '"9999-01-01T00:00:00Z"',
}
PLACES: Final = {
    "empty": '""',
    "dots": '".."',
    "capitals": '"A.B"',
    "query": '"1.*{1}"',
    "deep": orjson.dumps("1." * 5000 + "1").decode(),
}
# Of every kind.
SHAPES: Final = {
    "object": '{"a": 1}',
    "list in lists": "[" * 40 + "]" * 40,
    "deeper than any form": "[" * 100 + "]" * 100,
}

BY_TYPE: Final = {
    "String": {**TEXTS, "number": "1"},
    "ID": {**TEXTS, **IDS, "fraction": "1.5"},
    "Int": NUMBERS,
    "DateTime": {**MOMENTS, "nul": TEXTS["nul"]},
    "TreePath": {**PLACES, **TEXTS},
    "Boolean": {"text": '"true"', "number": "1"},
}
OF_ENUMS: Final = {"no such word": '"NOTHING"', "lower case": '"active"', "number": "0"}
