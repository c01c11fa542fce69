"""ID numbers at rest: opened only under their key and only in their own row, found without being opened."""

from __future__ import annotations

import os

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from models.particulars import Particulars
from models.registration import Submission
from models.union import TradeUnion
from storage.sealing import Sealer

NUMBER = "440524188001010014"
KEY, NEXT_KEY, INDEX_KEY = (bytes([number]) * 32 for number in range(3))
SEALER = Sealer({"a1": KEY}, current="a1", index_key=INDEX_KEY)


def sealed(row: Particulars, number: str = NUMBER, sealer: Sealer = SEALER) -> bytes:
    sealer.seal(row, number)
    assert row.id_number_sealed is not None
    return row.id_number_sealed


def submission(registration_id: int = 1, number: int = 1) -> Submission:
    return Submission(registration_id=registration_id, round=number)


def test_what_is_sealed_opens_again() -> None:
    for row in (submission(), TradeUnion(id=7)):
        sealed(row)
        assert SEALER.open(row) == NUMBER


def test_a_row_without_a_number_has_none() -> None:
    assert SEALER.open(submission()) is None


def test_nothing_of_the_number_can_be_read() -> None:
    row = submission()
    kept = sealed(row) + (row.id_number_index or b"")
    parts = [NUMBER[start : start + 4].encode() for start in range(len(NUMBER) - 3)]
    assert [part for part in parts if part in kept] == []


def test_the_same_number_is_never_sealed_twice_alike() -> None:
    first, second = submission(), submission()
    assert sealed(first) != sealed(second)
    assert first.id_number_index == second.id_number_index  # but it is found again


# ── bound to its row ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("other", [submission(1, 2), submission(2, 1), submission(11, 1), TradeUnion(id=1)])
def test_a_seal_moved_to_another_row_does_not_open(other: Particulars) -> None:
    row = submission(1, 1)
    mine, theirs = sealed(row), sealed(other, "11010519491231002X")

    row.id_number_sealed, other.id_number_sealed = theirs, mine
    for swapped in (row, other):
        with pytest.raises(InvalidTag):
            SEALER.open(swapped)

    row.id_number_sealed, other.id_number_sealed = mine, theirs
    assert (SEALER.open(row), SEALER.open(other)) == (NUMBER, "11010519491231002X")


@given(st.data())
def test_a_seal_that_was_tampered_with_does_not_open(data: st.DataObject) -> None:
    row = submission()
    kept = bytearray(sealed(row))
    position = data.draw(st.integers(3, len(kept) - 1))  # after the name of the key
    kept[position] ^= data.draw(st.integers(1, 255))
    row.id_number_sealed = bytes(kept)
    with pytest.raises(InvalidTag):
        SEALER.open(row)


def test_another_key_of_the_same_name_does_not_open() -> None:
    row = submission()
    sealed(row)
    with pytest.raises(InvalidTag):
        Sealer({"a1": os.urandom(32)}, current="a1", index_key=INDEX_KEY).open(row)


# ── keys and indexes ─────────────────────────────────────────────────────────────────────────


def test_an_old_key_still_opens_after_a_new_one_is_put_first() -> None:
    old, new = submission(1), submission(2)
    sealed(old)
    both = Sealer({"b2": NEXT_KEY, "a1": KEY}, current="b2", index_key=INDEX_KEY)

    assert both.open(old) == NUMBER
    sealed(new, sealer=both)
    assert both.open(new) == NUMBER
    assert new.id_number_index == old.id_number_index  # a new key of seals leaves the index as it is
    with pytest.raises(KeyError):  # and the old key alone is no longer enough
        SEALER.open(new)


def test_a_digest_is_for_one_purpose_and_one_key() -> None:
    content = NUMBER.encode()
    assert SEALER.digest("id_number", content) == SEALER.digest("id_number", content)
    assert SEALER.digest("id_number", content) != SEALER.digest("idempotency", content)
    assert SEALER.digest("a", b"bc") != SEALER.digest("ab", b"c")
    assert SEALER.digest("id_number", content) != SEALER.digest("id_number", content + b"0")
    other = Sealer({"a1": KEY}, current="a1", index_key=NEXT_KEY)
    assert SEALER.digest("id_number", content) != other.digest("id_number", content)
    assert len(SEALER.digest("id_number", content)) == 32
