"""LFDI, SFDI and PIN: the known vector, and the rules over all values."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.identity import (
    check_digit,
    lfdi,
    lfdi_valid,
    make_pin,
    pin_valid,
    sfdi,
    sfdi_valid,
)

VECTOR_LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
VECTOR_SFDI = 167261211391

pytestmark = pytest.mark.requirement("PRO-2030.5")


def test_sfdi_of_the_known_vector() -> None:
    assert sfdi(VECTOR_LFDI) == VECTOR_SFDI
    assert sfdi(VECTOR_LFDI.lower()) == VECTOR_SFDI
    assert sfdi_valid(VECTOR_SFDI)


def test_lfdi_is_the_left_part_of_the_fingerprint() -> None:
    der = b"not a certificate, but hashed all the same"
    assert lfdi(der) == hashlib.sha256(der).hexdigest().upper()[:40]
    assert lfdi_valid(lfdi(der))


@pytest.mark.parametrize("text", ["", "3E4F", VECTOR_LFDI + "0", "G" * 40, VECTOR_LFDI[:-1] + " "])
def test_what_is_no_lfdi_has_no_sfdi(text: str) -> None:
    with pytest.raises(ValueError, match="not an LFDI"):
        sfdi(text)


@given(st.binary())
def test_every_sfdi_has_a_digit_sum_in_tens_and_fits_36_bits(der: bytes) -> None:
    number = sfdi(lfdi(der))
    assert sum(map(int, str(number))) % 10 == 0
    assert number // 10 == int(lfdi(der)[:9], 16)
    assert sfdi_valid(number)


@given(st.integers(0, 16**9 - 1), st.integers(1, 9))
def test_an_sfdi_with_another_last_digit_is_refused(short: int, off: int) -> None:
    whole = short * 10 + check_digit(short)
    assert not sfdi_valid(whole - whole % 10 + (whole + off) % 10)


@pytest.mark.parametrize("number", [-1, 16**9 * 10])
def test_an_sfdi_out_of_range_is_refused(number: int) -> None:
    assert not sfdi_valid(number)


def test_check_digit_of_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        check_digit(-1)


@given(st.integers(0, 99_999))
def test_every_pin_made_is_valid_as_text_and_as_number(digits: int) -> None:
    pin = make_pin(digits)
    assert len(pin) == 6
    assert pin_valid(pin)
    assert pin_valid(int(pin))


@given(st.integers(0, 99_999), st.integers(0, 5), st.integers(1, 9))
def test_one_wrong_digit_spoils_a_pin(digits: int, place: int, off: int) -> None:
    pin = make_pin(digits)
    wrong = str((int(pin[place]) + off) % 10)
    assert not pin_valid(pin[:place] + wrong + pin[place + 1 :])


def test_a_pin_drawn_at_random_is_valid() -> None:
    assert pin_valid(make_pin())


@pytest.mark.parametrize(
    "pin", ["", "11111", "1111155", "abcdef", "12345 ", "\u0661\u0661\u0661\u0661\u0661\u0665"]
)
def test_what_is_not_six_digits_is_no_pin(pin: str) -> None:
    assert not pin_valid(pin)


@pytest.mark.parametrize("number", [-1, -111115, 1_111_115])
def test_numbers_out_of_range_are_no_pin(number: int) -> None:
    assert not pin_valid(number)


@pytest.mark.parametrize("digits", [-1, 100_000])
def test_a_pin_of_other_than_five_free_digits_is_refused(digits: int) -> None:
    with pytest.raises(ValueError, match="five free digits"):
        make_pin(digits)
