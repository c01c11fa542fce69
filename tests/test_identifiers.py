"""Numbers of people and organisations: their arithmetic decides, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from models.errors import Code, Rejected
from models.identifiers import (
    check_credit_code,
    check_id_number,
    check_phone,
    is_usual_prefix,
    mask_id_number,
    mask_name,
    mask_phone,
    show_phone,
)
from models.kinds import UnionKind
from tests.rules import refusal

STANDARD: Final = "440524188001010014"  # the example of GB 11643-1999 itself
CODE_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def numbered(stem: str) -> str:
    """The resident ID number that starts with these 17 digits."""
    return stem + ric.calc_check_digit(f"{stem}0")


def coded(stem: str) -> str:
    """The credit code that starts with these 17 characters."""
    return stem + uscc.calc_check_digit(stem)


# ── 公民身份号码 ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [STANDARD, "11010519491231002X", numbered("11010519760509123")])
def test_an_id_number_with_a_true_check_character_is_taken_as_it_is(number: str) -> None:
    assert check_id_number(number) == number


def test_a_small_x_and_space_around_are_forgiven() -> None:
    assert check_id_number(" 11010519491231002x\n") == "11010519491231002X"


@pytest.mark.parametrize("digit", "0123456789X")
def test_only_one_check_character_fits(digit: str) -> None:
    number = STANDARD[:-1] + digit
    if number == STANDARD:
        assert check_id_number(number) == STANDARD
    else:
        assert refusal(check_id_number, number) == (Code.ID_NUMBER_INVALID, "check_character")


@pytest.mark.parametrize("region", ["440524", "512501", "999999", "000000", "310103"])
def test_people_carry_regions_that_are_no_more(region: str) -> None:
    """南市区 310103 went in 2000, 四川省 512501 with 重庆 in 1997; nobody gets a new number for that."""
    number = numbered(f"{region}19760509123")
    assert check_id_number(number) == number


@pytest.mark.parametrize("birth", ["20000229", "19040229", "18800101", "19991231"])
def test_a_birth_date_exists_in_the_calendar(birth: str) -> None:
    number = numbered(f"440105{birth}001")
    assert check_id_number(number) == number


@pytest.mark.parametrize("birth", ["19000229", "20010229", "19990431", "19991301", "19990001", "19990100", "00000101"])
def test_an_impossible_birth_date_is_refused_though_its_check_character_is_right(birth: str) -> None:
    assert refusal(check_id_number, numbered(f"440105{birth}001")) == (Code.ID_NUMBER_INVALID, None)


def test_nobody_is_born_in_the_future() -> None:
    def born(day: date) -> str:
        return numbered(f"440105{day:%Y%m%d}001")

    today = datetime.now(UTC).date()
    assert check_id_number(born(today)) == born(today)
    assert refusal(check_id_number, born(today + timedelta(days=3))) == (Code.ID_NUMBER_INVALID, None)
    assert refusal(check_id_number, born(today + timedelta(days=4000))) == (Code.ID_NUMBER_INVALID, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        STANDARD[:-1],
        f"{STANDARD}4",
        "440524880101001",  # 15 digits, as until 1999
        "X" + STANDARD[1:],
        STANDARD[:8] + " " + STANDARD[8:],
        "４４０５２４１８８００１０１００１４",
        "٤" + STANDARD[1:],
        STANDARD + "\0",
        "1" * 100_000,
    ],
    ids=["empty", "17", "19", "old", "x-first", "space", "full-width", "arabic", "nul", "endless"],
)
def test_what_is_not_18_plain_characters_is_no_id_number(text: str) -> None:
    assert refusal(check_id_number, text) == (Code.ID_NUMBER_INVALID, None)


@settings(max_examples=60)
@given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_one_mistyped_digit_is_always_noticed(born: date, order: int, place: int, off_by: int) -> None:
    number = numbered(f"440105{born:%Y%m%d}{order:03}")
    mistyped = number[:place] + str((int(number[place]) + off_by) % 10) + number[place + 1 :]
    assert check_id_number(number) == number
    with pytest.raises(Rejected):
        check_id_number(mistyped)


def test_a_masked_id_number_shows_its_ends_alone() -> None:
    assert mask_id_number(STANDARD) == "4****************4"
    assert mask_id_number("11010519491231002X") == "1****************X"


# ── 统一社会信用代码 ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", ["81440100MC12345674", "89440000MC12345676", coded("91440300MA5ABCDE0")])
def test_a_credit_code_with_a_true_check_character_is_taken(code: str) -> None:
    assert check_credit_code(code) == code
    assert check_credit_code(f" {code.lower()} ") == code


@pytest.mark.parametrize("stem", ["N2440113MF1234567", "Y1440100MC1234567", "A1440100MC1234567"])
def test_a_registrar_may_be_a_letter(stem: str) -> None:
    """Village collectives, employers too, carry codes that begin with N: 农业农村 registers them."""
    assert check_credit_code(coded(stem)) == coded(stem)


@pytest.mark.parametrize("last", sorted(set(CODE_CHARACTERS) - {"4"}))
def test_another_check_character_is_refused(last: str) -> None:
    assert refusal(check_credit_code, f"81440100MC1234567{last}") == (Code.USCC_INVALID, None)


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_that_look_like_digits_are_in_no_credit_code(letter: str) -> None:
    assert refusal(check_credit_code, f"81440100{letter}C12345674") == (Code.USCC_INVALID, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "81440100MC1234567",
        "81440100MC123456740",
        coded("8144A100MC1234567"),
        "８１４４０１００ＭＣ１２３４５６７４",
        "81440100MC12345674\0",
        "工" * 18,
    ],
    ids=["empty", "17", "19", "letter-in-region", "full-width", "nul", "chinese"],
)
def test_what_is_not_18_of_its_characters_is_no_credit_code(text: str) -> None:
    assert refusal(check_credit_code, text) == (Code.USCC_INVALID, None)


@settings(max_examples=60)
@given(
    st.integers(0, 10**6 - 1),
    st.text(CODE_CHARACTERS, min_size=9, max_size=9),
    st.integers(0, 17),
    st.integers(1, 30),
)
def test_one_mistyped_character_is_always_noticed(region: int, body: str, place: int, off_by: int) -> None:
    code = coded(f"81{region:06}{body}")
    other = CODE_CHARACTERS[(CODE_CHARACTERS.index(code[place]) + off_by) % 31]
    assert check_credit_code(code) == code
    assert refusal(check_credit_code, code[:place] + other + code[place + 1 :]) == (Code.USCC_INVALID, None)


@pytest.mark.parametrize(
    ("prefix", "grassroots", "higher_level"),
    [
        ("81", True, True),
        ("89", False, True),
        ("11", False, True),
        ("12", False, True),
        ("13", False, True),
        ("91", False, False),
        ("52", False, False),
    ],
)
def test_unions_usually_carry_these_prefixes(prefix: str, grassroots: bool, higher_level: bool) -> None:  # noqa: FBT001 - of the table
    code = f"{prefix}440100MC12345674"
    assert is_usual_prefix(code, UnionKind.GRASSROOTS) is grassroots
    assert is_usual_prefix(code, UnionKind.HIGHER_LEVEL) is higher_level


# ── 电话、姓名 ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "spelling",
    [
        "13800138000",
        " 138 0013 8000 ",
        "138-0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086 13800138000",
        "(+86)13800138000",
        "１３８００１３８０００",
    ],
)
def test_a_phone_number_has_one_form_however_it_is_written(spelling: str) -> None:
    assert check_phone(spelling) == "+8613800138000"


@pytest.mark.parametrize(
    ("written", "kept", "shown"),
    [
        ("13800138000", "+8613800138000", "13800138000"),
        ("020-83330000", "+862083330000", "02083330000"),
        ("0755 8210 0000", "+8675582100000", "075582100000"),
        ("12351", "+8612351", "12351"),
        ("+852 2525 1234", "+85225251234", "+85225251234"),
    ],
    ids=["mobile", "guangzhou", "shenzhen", "hotline", "hong-kong"],
)
def test_a_phone_number_is_shown_as_people_dial_it(written: str, kept: str, shown: str) -> None:
    assert check_phone(written) == kept
    assert show_phone(kept) == shown


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1", "+", "+999123456", "1" * 41, "1" * 300, "138****8000", "13800138000 转 5", "13800138000\0"],
    ids=["empty", "letters", "one", "plus", "nowhere", "41", "300", "masked", "extension", "nul"],
)
def test_what_nobody_can_dial_is_no_phone_number(text: str) -> None:
    assert refusal(check_phone, text) == (Code.PHONE_INVALID, None)


@pytest.mark.parametrize(
    ("kept", "masked"),
    [
        ("+8613800138000", "138****8000"),
        ("+862083330000", "020****0000"),
        ("+85225251234", "+85*****1234"),
        ("+8612351", "1***1"),
    ],
)
def test_a_masked_phone_number_shows_three_digits_and_four(kept: str, masked: str) -> None:
    assert mask_phone(kept) == masked


def test_a_masked_name_shows_its_first_character() -> None:
    assert [mask_name(name) for name in ("何敏", "欧阳娜娜", "李", "")] == ["何*", "欧***", "李", ""]


@given(st.from_regex(r"\A1[3-9][0-9]{9}\Z"))
def test_a_mobile_number_is_what_the_library_makes_of_it(number: str) -> None:
    parsed = phonenumbers.parse(number, "CN")
    if phonenumbers.is_possible_number(parsed):
        assert check_phone(number) == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    else:
        assert refusal(check_phone, number) == (Code.PHONE_INVALID, None)
