"""Messages to octets and back, and everything that is no message."""

import re
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.headend.cim.der import DERGroupDispatches
from hems.headend.cim.envelope import DONE, Header, Kind, Message, Reply, Request, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.nouns import FORMS, Noun
from hems.headend.cim.ordering import wish_of_dispatch
from hems.headend.cim.scalars import Instant, read_time, write_time
from hems.headend.cim.wire import NAMESPACE, parse, serialize
from hems.headend.modes import Mode
from hems.sep2.xml import MAX_BODY
from tests.examples import examples

pytestmark = pytest.mark.requirement("PRO-CIM")

TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=12,
).filter(lambda text: text == text.strip() and bool(text))
TIME = st.integers(0, 4_000_000_000 * 4).map(lambda quarters: quarters / 4)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(10**17), 10**17),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Instant: TIME,
}


def records(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Any record of a class, by its annotations."""
    hints = get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{each.name: _values(hints[each.name]) for each in fields(cls)})


def _values(hint: Any) -> st.SearchStrategy[Any]:
    assert get_origin(hint) is Annotated
    inner, *notes = get_args(hint)
    optional = False
    if get_origin(inner) in {Union, UnionType}:
        optional = True
        inner = next(part for part in get_args(inner) if part is not NoneType)
    many = get_origin(inner) is tuple
    if many:
        inner = get_args(inner)[0]
    if isinstance(inner, type) and is_dataclass(inner):
        found = records(inner)
    elif isinstance(inner, type) and issubclass(inner, Enum):
        found = st.sampled_from(inner)
    else:
        found = SCALARS[Instant if Instant() in notes else inner]
    if many:
        return st.lists(found, min_size=1, max_size=2).map(tuple)
    return st.none() | found if optional else found


def headers(*verbs: Verb) -> st.SearchStrategy[Header]:
    hints = get_type_hints(Header, include_extras=True)
    parts = {each.name: _values(hints[each.name]) for each in fields(Header)}
    return st.builds(
        Header,
        **parts | {"verb": st.sampled_from(verbs), "revision": st.sampled_from((None, "2.0"))},
    )


ASKED = [verb for verb in Verb if verb not in DONE and verb is not Verb.REPLY]
PAYLOADS = st.one_of([records(form.record) for form in FORMS.values()])
MESSAGES = st.one_of(
    st.builds(
        Message,
        st.just(Kind.REQUEST),
        headers(*ASKED),
        records(Request),
        st.none(),
        st.none() | PAYLOADS,
        st.none() | PAYLOADS,
    ),
    st.builds(Message, st.just(Kind.EVENT), headers(*DONE), payload=PAYLOADS),
    st.builds(
        Message,
        st.just(Kind.RESPONSE),
        headers(Verb.REPLY),
        reply=records(Reply),
        payload=st.none() | PAYLOADS,
    ),
    st.builds(Message, st.just(Kind.FAULT), reply=records(Reply)),
)


@settings(max_examples=examples(150), deadline=None)
@given(sent=MESSAGES)
def test_what_is_written_is_read_again(sent: Message) -> None:
    assert parse(serialize(sent)) == sent


@given(at=TIME)
def test_a_time_is_read_as_it_was_written(at: float) -> None:
    assert read_time(write_time(at)) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-01T12:00:00Z", 1772366400.0),
        ("2026-03-01T13:00:00+01:00", 1772366400.0),
        ("2026-03-01T12:00:00.5Z", 1772366400.5),
    ],
)
def test_a_time_has_a_zone(text: str, at: float) -> None:
    assert read_time(text) == at


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00", "2026-02-30T12:00:00Z", "now", "2026-03-01"]
)
def test_a_time_without_zone_or_sense_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        read_time(text)


HEAD = "<Verb>create</Verb><Noun>DERGroups</Noun>"
GROUPS = "http://iec.ch/TC57/2020/DERGroups#"


def document(
    head: str = HEAD, rest: str = "", *, root: str = "RequestMessage", before: str = ""
) -> bytes:
    inner = f"<Header>{head}</Header>" if head else ""
    return f'{before}<{root} xmlns="{NAMESPACE}">{inner}{rest}</{root}>'.encode()


def payload(inner: str, namespace: str = GROUPS, name: str = "DERGroups") -> str:
    return f'<Payload><{name} xmlns="{namespace}">{inner}</{name}></Payload>'


def test_any_years_edition_of_a_profile_is_read() -> None:
    found = parse(document(rest=payload("<EndDeviceGroup><mRID>1</mRID></EndDeviceGroup>")))
    assert found.payload is not None


ENTITY = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
BAD = [
    (b"", Fault.FORM, "document"),
    (b"{}", Fault.FORM, "document"),
    (b"<a/>", Fault.FORM, "a: the root is none of"),
    (document().replace(NAMESPACE.encode(), b"urn:x"), Fault.FORM, "the root is none of"),
    (document(before=ENTITY), Fault.FORM, "DOCTYPE"),
    (document(before='<?xml version="1.0" encoding="UTF-16"?>'), Fault.FORM, "encoding"),
    (b"<" * 90_000, Fault.TOO_MANY, "tags"),
    (b"<a>" + b" " * MAX_BODY, Fault.TOO_MANY, "octets"),
    (document(head=""), Fault.FORM, "Header is missing"),
    (document(HEAD.replace("create", "make")), Fault.HEADER, "Header/Verb: 'make' is none of"),
    (document("<Verb>create</Verb>"), Fault.HEADER, "Header: Noun is missing"),
    (document(HEAD + "<Verb>get</Verb>"), Fault.HEADER, "Header/Verb: it is there twice"),
    (document(HEAD + "<Nonsense/>"), Fault.HEADER, "Header/Nonsense: there is no such element"),
    (document(HEAD + "<MessageID/>"), Fault.HEADER, "Header/MessageID: it is empty"),
    (document(HEAD + "<MessageID><a/></MessageID>"), Fault.HEADER, "text only"),
    (document(HEAD + f"<Comment>{'x' * 5000}</Comment>"), Fault.HEADER, "longer than 4096"),
    (document(HEAD + "<Revision>9</Revision>"), Fault.REVISION, "Header/Revision"),
    (document(HEAD + "<Timestamp>noon</Timestamp>"), Fault.HEADER, "Header/Timestamp"),
    (document(HEAD + "<AckRequired>ja</AckRequired>"), Fault.HEADER, "not a boolean"),
    (document(HEAD + "words"), Fault.HEADER, "text of its own: 'words'"),
    (document(HEAD.replace("create", "created")), Fault.VERB, "no verb of a RequestMessage"),
    (document(root="EventMessage", rest=payload("")), Fault.PAYLOAD, "EndDeviceGroup is missing"),
    (document(root="EventMessage"), Fault.FORM, "Payload is missing"),
    (document(rest="<Reply/>"), Fault.FORM, "Reply: it has no place in a RequestMessage"),
    (document(rest="<Payload/><Payload/>"), Fault.FORM, "there twice or out of order"),
    (document(rest="<Payload/>"), Fault.PAYLOAD, "must hold one element, and holds 0"),
    (document(rest=payload("", "urn:x")), Fault.PAYLOAD, "nothing of namespace 'urn:x'"),
    (document(rest=payload("", "http://iec.ch/TC57/99/DERGroups#")), Fault.PAYLOAD, "nothing of"),
    (document(rest=payload("<Other/>")), Fault.PAYLOAD, "DERGroups/Other: there is no such"),
    (document(rest="<Payload><Compressed>x</Compressed></Payload>"), Fault.PAYLOAD, "Compressed"),
    (document(rest="<Request><Nonsense/></Request>"), Fault.REQUEST, "Request/Nonsense"),
    (
        document(rest='<Request><ID wrong="x">1</ID></Request>'),
        Fault.REQUEST,
        "no attribute 'wrong'",
    ),
    (b"\xff" + document(), Fault.FORM, "document"),
    (document(HEAD + "<Comment>&#1;</Comment>"), Fault.FORM, "document"),
]


@pytest.mark.parametrize(("data", "fault", "words"), BAD, ids=range(len(BAD)))
def test_what_is_no_message_is_refused_by_its_place(data: bytes, fault: Fault, words: str) -> None:
    with pytest.raises(CimError) as caught:
        parse(data)
    assert caught.value.fault is fault, caught.value
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_what_xml_cannot_hold_is_not_written() -> None:
    header = Header(verb=Verb.GET, noun="DERGroups", comment="a\x00b")
    with pytest.raises(CimError, match="Comment cannot be written"):
        serialize(Message(Kind.REQUEST, header))


def test_the_message_of_the_paper_is_one() -> None:
    paper = (Path(__file__).parents[4] / "docs/enterprise.md").read_text(encoding="utf-8")
    example = paper.partition("```xml\n")[2].partition("```")[0]
    found = parse(example.encode())
    assert isinstance(found.payload, DERGroupDispatches)
    orders = wish_of_dispatch(found.payload.dispatches[0]).orders
    assert [(order.values, order.duration_s) for order in orders] == [
        ({Mode.TARGET_W: 40_000.0}, 900),
        ({Mode.TARGET_W: 60_000.0}, 900),
    ]


def test_the_paper_names_every_noun_and_code() -> None:
    paper = (Path(__file__).parents[4] / "docs/enterprise.md").read_text(encoding="utf-8")
    assert [noun for noun in Noun if f"`{noun}`" not in paper] == []
    assert [fault.code for fault in Fault if fault.code not in paper] == []
