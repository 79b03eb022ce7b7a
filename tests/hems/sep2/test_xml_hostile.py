"""Bodies that are wrong, or mean harm: each ends in one error that names element and reason."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.errors import HarmfulError, MalformedError, OversizedError, Sep2Error
from hems.sep2.resources.wire import SEP_NS
from hems.sep2.xml import MAX_BODY, BadItem, parse, serialize

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRO-2030.5")]

REGISTRATION = (
    f'<Registration xmlns="{SEP_NS}"><dateTimeRegistered>1</dateTimeRegistered>'
    "<pIN>123455</pIN></Registration>"
)

BILLION_LAUGHS = (
    '<!DOCTYPE r [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 10))
    + "]>"
    + REGISTRATION.replace("123455", "&a9;")
)
EXTERNAL = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + REGISTRATION.replace(
    "123455", "&x;"
)
REMOTE_DTD = '<!DOCTYPE Registration SYSTEM "http://127.0.0.1:9/evil.dtd">' + REGISTRATION

MANY = " ".join(f'attribute{n}="1"' for n in range(300))
SPACES = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(100))


def _with_pin(pin: str) -> bytes:
    return REGISTRATION.replace("123455", pin).encode()


def test_the_body_that_the_others_spoil_is_good() -> None:
    assert parse(REGISTRATION.encode(), res.Registration).pin == 123455


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(BILLION_LAUGHS.encode(), "document: a DOCTYPE", id="billion laughs"),
        pytest.param(EXTERNAL.encode(), "document: a DOCTYPE", id="external entity"),
        pytest.param(REMOTE_DTD.encode(), "document: a DOCTYPE", id="remote DTD"),
        pytest.param(_with_pin("&x;"), "document: not well-formed", id="undeclared entity"),
        pytest.param(b"", "document: not well-formed", id="empty"),
        pytest.param(b"\x00\xff\x00", "document: not well-formed", id="binary"),
        pytest.param(b'{"pIN": 1}', "document: not well-formed", id="JSON"),
        pytest.param(REGISTRATION[:-9].encode(), "document: not well-formed", id="truncated"),
        pytest.param(
            REGISTRATION.encode() + b"<more/>", "document: not well-formed", id="two roots"
        ),
        pytest.param(
            b"<a>" * 10_000 + b"</a>" * 10_000, "document: not well-formed.*depth", id="deep"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="ISO-8859-1"?>' + REGISTRATION.encode(),
            "document: its encoding is 'ISO-8859-1', not UTF-8",
            id="declared Latin-1",
        ),
        pytest.param(
            REGISTRATION.encode("utf-16"), "document: not well-formed", id="UTF-16, undeclared"
        ),
        pytest.param(
            REGISTRATION.replace("</pIN>", "</pIN><x>\xe9</x>").encode("latin-1"),
            "document: not well-formed",
            id="octets that are no UTF-8",
        ),
        pytest.param(
            f'<Time xmlns="{SEP_NS}"/>'.encode(),
            "Time: the root element must be Registration",
            id="wrong root",
        ),
        pytest.param(
            f'<Nonsense xmlns="{SEP_NS}"/>'.encode(),
            "Nonsense: the root element must be Registration",
            id="unknown root",
        ),
        pytest.param(
            REGISTRATION.replace(SEP_NS, "http://zigbee.org/sep").encode(),
            "Registration: its namespace is 'http://zigbee.org/sep', not 'urn:ieee:std:2030.5:ns'",
            id="old namespace",
        ),
        pytest.param(
            REGISTRATION.replace(f' xmlns="{SEP_NS}"', "").encode(),
            "Registration: its namespace is None",
            id="no namespace",
        ),
        pytest.param(
            REGISTRATION.replace("<pIN>123455</pIN>", "").encode(),
            "Registration: mandatory element pIN is missing",
            id="missing element",
        ),
        pytest.param(
            f'<DERList xmlns="{SEP_NS}" results="0"/>'.encode(),
            "DERList: mandatory attribute all is missing|the root",
            id="missing attribute",
        ),
        pytest.param(
            REGISTRATION.replace("</pIN>", "</pIN><pIN>1</pIN>").encode(),
            "Registration/pIN: given more than once",
            id="double",
        ),
        pytest.param(
            _with_pin("12<x/>3455"), "pIN: holds an element where only text may be", id="mixed"
        ),
        pytest.param(
            REGISTRATION.replace("<pIN>", "<p:pIN>").replace("</pIN>", "</p:pIN>").encode(),
            "document: not well-formed XML: Namespace prefix p on pIN is not defined",
            id="undeclared prefix",
        ),
        pytest.param(
            REGISTRATION.replace("><date", ' p:a="1"><x xmlns="later"/><date').encode(),
            "document: not well-formed XML: Namespace prefix p for a on Registration is not",
            id="undeclared prefix, and a warning of something else later",
        ),
        pytest.param(
            REGISTRATION.replace("<pIN>", '<x xmlns="relative"/><pIN>').encode(),
            "Registration/x: a namespace in it or around it is no absolute URI",
            id="relative namespace",
        ),
        pytest.param(
            REGISTRATION.replace("><date", ' xmlns:p="relative" p:a="1"><date').encode(),
            "^Registration: the namespace 'relative' is no absolute URI",
            id="attribute in a relative namespace",
        ),
        pytest.param(
            REGISTRATION.replace("<pIN>", f"<pIN {MANY}>").encode(),
            "Registration/pIN: it has more than 256 attributes",
            id="attributes of a number",
        ),
        pytest.param(
            REGISTRATION.replace("><date", f" {MANY}><date").encode(),
            "^Registration: it has more than 256 attributes",
            id="attributes of a record",
        ),
        pytest.param(
            REGISTRATION.replace("<pIN>", f"<x><y {MANY}/></x><pIN>").encode(),
            "Registration/x/y: it has more than 256 attributes",
            id="attributes deep in an unknown element",
        ),
        pytest.param(
            REGISTRATION.replace("><date", f" {SPACES}><x/><date").encode(),
            "Registration/x: more than 64 namespaces are declared around it",
            id="namespaces",
        ),
        pytest.param(
            REGISTRATION.replace("<pIN>", "<pIN>\x00").encode(),
            "document: not well-formed XML: .*Char 0x0 out of allowed range , line",
            id="a message of two lines",
        ),
        pytest.param(_with_pin("NaN"), "Registration/pIN: 'NaN' is not an integer", id="NaN"),
        pytest.param(_with_pin(""), "Registration/pIN: '' is not an integer", id="no value"),
        pytest.param(_with_pin("12.5"), "Registration/pIN: '12.5' is not an integer", id="frac"),
        pytest.param(_with_pin("1e3"), "Registration/pIN: '1e3' is not an integer", id="exponent"),
        pytest.param(_with_pin("1_000"), "Registration/pIN: '1_000' is not", id="underscore"),
        pytest.param(_with_pin("\u0663"), "Registration/pIN: '\u0663' is not", id="other digits"),
        pytest.param(_with_pin("-1"), "pIN: '-1' is not between 0 and 4294967295", id="negative"),
        pytest.param(
            _with_pin("4294967296"), "pIN: '4294967296' is not between 0 and", id="overflow"
        ),
        pytest.param(_with_pin("9" * 50), r"pIN: '9{40}\.\.\.' is not between", id="long"),
        pytest.param(_with_pin("9" * 5000), r"pIN: '9{40}\.\.\.' is not an integer", id="endless"),
    ],
)
def test_a_bad_body_ends_in_one_error(body: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        parse(body, res.Registration)


def test_an_error_tells_no_more_of_a_name_than_its_beginning() -> None:
    name = "n" * 40_000
    with pytest.raises(MalformedError) as caught:
        parse(f"<{name}/>".encode(), res.Registration)
    assert len(str(caught.value)) < 200


def test_a_list_of_bad_items_only_is_empty() -> None:
    bad: list[BadItem] = []
    body = f'<DERList xmlns="{SEP_NS}" all="1" results="1"><DER subscribable="x"/></DERList>'
    read = parse(body.encode(), res.DERList, on_bad=bad.append)
    assert (read.der, len(bad)) == ((), 1)
    assert parse(serialize(read), res.DERList) == read


def test_bad_items_among_too_many_namespaces_are_not_copied_with_them() -> None:
    body = (
        f'<DERList xmlns="{SEP_NS}" {SPACES} all="1" results="1"><DER subscribable="x"/></DERList>'
    )
    with pytest.raises(MalformedError, match="DERList/DER: more than 64 namespaces"):
        parse(body.encode(), res.DERList, on_bad=lambda _: None)


def test_a_missing_attribute_is_named() -> None:
    with pytest.raises(MalformedError, match="DERList: mandatory attribute all is missing"):
        parse(f'<DERList xmlns="{SEP_NS}" results="0"/>'.encode(), res.DERList)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('responseRequired="zz"', "Event/@responseRequired: 'zz' is not hexadecimal"),
        ('responseRequired="0103"', "Event/@responseRequired: '0103' has more than 1 octets"),
        ('subscribable="256"', "Event/@subscribable: '256' is not between 0 and 255"),
    ],
)
def test_a_bad_attribute_is_named(text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        parse(f'<Event xmlns="{SEP_NS}" {text}/>'.encode(), res.Event)


@pytest.mark.parametrize(
    ("mrid", "message"),
    [
        ("G" * 32, "is not hexadecimal"),
        ("A" * 34, "has more than 16 octets"),
        ("A" * 31, "is not of whole octets"),
        ("", "is not hexadecimal"),
    ],
)
def test_a_bad_mrid_is_named(mrid: str, message: str) -> None:
    body = f'<IdentifiedObject xmlns="{SEP_NS}"><mRID>{mrid}</mRID></IdentifiedObject>'
    with pytest.raises(MalformedError, match=f"IdentifiedObject/mRID: .*{message}"):
        parse(body.encode(), res.IdentifiedObject)


def test_one_octet_too_many() -> None:
    body = REGISTRATION.encode()
    padded = body + b" " * (MAX_BODY - len(body))
    assert parse(padded, res.Registration).pin == 123455
    with pytest.raises(OversizedError, match="1048577 octets, at most 1048576"):
        parse(padded + b" ", res.Registration)


def test_an_unknown_element_may_be_deep_but_not_endless() -> None:
    for depth, good in ((200, True), (300, False)):
        inner = "<x>" * depth + "</x>" * depth
        body = REGISTRATION.replace("</pIN>", f"</pIN>{inner}").encode()
        if good:
            assert parse(body, res.Registration).extensions
        else:
            with pytest.raises(MalformedError, match="depth"):
                parse(body, res.Registration)


def test_comments_and_instructions_change_nothing() -> None:
    body = REGISTRATION.replace("123455", "12<!-- -->34<?pi x?>55").encode()
    assert parse(body, res.Registration).pin == 123455


@given(st.binary(max_size=200))
def test_noise_ends_in_our_errors_only(noise: bytes) -> None:
    with pytest.raises(Sep2Error):
        parse(noise, res.Registration)


@given(st.data())
def test_a_damaged_body_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(REGISTRATION.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Sep2Error):
        assert parse(bytes(body), res.Registration).pin >= 0


def test_a_body_of_nothing_but_tags_is_refused_unread() -> None:
    """A quarter of a million elements within a MiB would take the control cycle's time."""
    body = f'<Time xmlns="{SEP_NS}">{"<a/>" * 250_000}</Time>'.encode()
    assert len(body) < MAX_BODY
    with pytest.raises(OversizedError, match="more than 80000 tags"):
        parse(body, res.Time)


@pytest.mark.parametrize(
    ("body", "harmful"),
    [
        (BILLION_LAUGHS.encode(), True),
        (EXTERNAL.encode(), True),
        (REMOTE_DTD.encode(), True),
        (REGISTRATION.replace("<pIN>", f"<pIN {MANY}>").encode(), True),
        (_with_pin("&x;"), False),
        (b'{"pIN": 1}', False),
    ],
)
def test_what_is_made_to_harm_is_told_apart_from_mistakes(body: bytes, harmful: bool) -> None:
    with pytest.raises(MalformedError) as caught:
        parse(body, res.Registration)
    assert isinstance(caught.value, HarmfulError) is harmful
