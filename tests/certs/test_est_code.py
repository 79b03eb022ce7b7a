"""Enrolment codes: written and read, slips of the pen found, nonsense refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.est.code import EnrolmentCode, new_secret, read_code, read_secret
from certs.est.errors import EstError, Fault
from certs.identity import make_pin

pytestmark = pytest.mark.requirement("L1-AUTH")

LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOSTS = st.one_of(
    st.lists(LABEL, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
)
CODES = st.builds(
    EnrolmentCode,
    HOSTS,
    st.integers(1, 65535),
    st.binary(min_size=16, max_size=16),
    st.one_of(st.just(b""), st.binary(min_size=11, max_size=11)),
    st.one_of(st.just(""), st.integers(0, 99999).map(make_pin)),
)
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@given(CODES)
def test_what_is_written_is_read_as_people_type_it(code: EnrolmentCode) -> None:
    text = code.text()
    assert read_code(text) == code
    assert read_code(f"  {text.lower()}\n") == code
    assert read_code(" ".join(text)) == code
    head, _, digits = text.rpartition(":")
    assert read_code(f"{head}:{digits.replace('-', '')}") == code
    assert read_code(f"{head}:{digits.replace('0', 'O').replace('1', 'l')}") == code
    if code.secret:
        assert read_secret(code.password) == code.secret


@given(CODES, st.data())
def test_every_slip_is_found(code: EnrolmentCode, data: st.DataObject) -> None:
    text = code.text()
    start = text.rindex(":") + 1
    places = [at for at in range(start, len(text)) if text[at] != "-"]
    at = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([digit for digit in DIGITS if digit != text[at]]))
    with pytest.raises(EstError) as caught:
        read_code(text[:at] + other + text[at + 1 :])
    assert caught.value.fault is Fault.CODE
    one = data.draw(st.sampled_from(places[:-1]))
    two = places[places.index(one) + 1]
    if text[one] != text[two]:
        swapped = list(text)
        swapped[one], swapped[two] = swapped[two], swapped[one]
        with pytest.raises(EstError):
            read_code("".join(swapped))


@given(CODES, HOSTS)
def test_another_server_is_a_slip_too(code: EnrolmentCode, host: str) -> None:
    moved = EnrolmentCode(host, code.port, code.fingerprint, code.secret, code.pin)
    if moved.authority == code.authority:
        return
    digits = code.text().rpartition(":")[2]
    try:
        found = read_code(f"HEMS1:{moved.authority}:{digits}")
    except EstError:
        return
    pytest.fail(f"{found} was read of another's digits")


@given(st.one_of(st.text(max_size=200), st.text(max_size=100).map(lambda t: f"HEMS1:h:1:{t}")))
def test_nonsense_is_refused_with_one_error(text: str) -> None:
    with pytest.raises(EstError) as caught:
        read_code(text)
    assert caught.value.fault is Fault.CODE


@pytest.mark.parametrize(
    "authority", ["", "host", "host:0", "host:65536", ":1", "-a:1", "a..b:1", "[::g]:1", "a b:1"]
)
def test_servers_that_are_none(authority: str) -> None:
    digits = EnrolmentCode("h", 1, bytes(16)).text().rpartition(":")[2]
    with pytest.raises(EstError):
        read_code(f"HEMS1:{authority}:{digits}")


def test_secrets_are_long_and_not_shown() -> None:
    secret = new_secret()
    assert (len(secret), secret != new_secret()) == (11, True)
    code = EnrolmentCode("h", 1, bytes(16), secret, "111115")
    assert "secret" not in repr(code)
    assert "111115" not in repr(code)
    for wrong in ("", "0", code.password + "0", code.password[:-1]):
        with pytest.raises(EstError):
            read_secret(wrong)
