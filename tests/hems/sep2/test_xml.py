"""Records to XML and back: where things go, what is kept, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from hems.sep2 import resources as res
from hems.sep2.codec.foreign import XSI_NS
from hems.sep2.errors import MalformedError
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, STORAGE_NS, Record
from hems.sep2.xml import BadItem, parse, parse_any, serialize

pytestmark = pytest.mark.requirement("PRO-2030.5")


def _control(**modes: object) -> res.DERControl:
    return res.DERControl(
        href="/derp/1/derc/1",
        reply_to="/rsps/1/rsp",
        response_required=3,
        mrid="0A" * 16,
        creation_time=1_700_000_000,
        event_status=res.EventStatus(
            current_status=0, date_time=1_700_000_000, potentially_superseded=False
        ),
        interval=res.DateTimeInterval(start=1_700_000_100, duration=600),
        der_control_base=res.DERControlBase(**modes),  # type: ignore[arg-type]
    )


IMPORT_LIMIT = _control(op_mod_imp_lim_w=res.ActivePower.of(1500.0))


def test_a_csip_aus_limit_is_in_its_own_namespace_and_its_parts_are_not() -> None:
    root = etree.fromstring(serialize(IMPORT_LIMIT))
    limit = root.find(f"{{{SEP_NS}}}DERControlBase/{{{CSIPAUS_NS}}}opModImpLimW")
    assert limit is not None
    assert [child.tag for child in limit] == [f"{{{SEP_NS}}}multiplier", f"{{{SEP_NS}}}value"]


@pytest.mark.parametrize("prefix", ["csipaus:", "x:", ""])
def test_a_limit_is_read_under_any_prefix(prefix: str) -> None:
    declaration = f'xmlns{":" + prefix[:-1] if prefix else ""}="{CSIPAUS_NS}"'
    inner = f"<s:multiplier>0</s:multiplier><s:value>1500</s:value></{prefix}opModImpLimW>"
    body = (
        f'<s:DERControlBase xmlns:s="{SEP_NS}" {declaration}>'
        f"<{prefix}opModImpLimW>{inner}</s:DERControlBase>"
    )
    base = parse(body.encode(), res.DERControlBase)
    assert base.op_mod_imp_lim_w is not None
    assert base.op_mod_imp_lim_w.watts == 1500.0


def test_a_disabled_mode_is_read_and_named() -> None:
    body = (
        f'<DERControlBase xmlns="{SEP_NS}"><opModConnect>true</opModConnect>'
        '<opModMaxLimW disabled="true">5000</opModMaxLimW></DERControlBase>'
    )
    base = parse(body.encode(), res.DERControlBase)
    assert base.op_mod_max_lim_w == 5000
    assert base.disabled == {"op_mod_max_lim_w"}
    assert b'<opModMaxLimW disabled="true">5000<' in serialize(base)


@pytest.mark.parametrize("cls", [res.DERControl, res.DERControlList, res.Time])
def test_a_notification_names_the_type_of_what_it_brings(cls: type[res.Resource]) -> None:
    brought: dict[type[res.Resource], res.Resource] = {
        res.DERControl: IMPORT_LIMIT,
        res.DERControlList: res.DERControlList(all=1, results=1, der_control=(IMPORT_LIMIT,)),
        res.Time: res.Time(
            current_time=1, dst_end_time=0, dst_offset=0, dst_start_time=0, quality=4, tz_offset=0
        ),
    }
    note = res.Notification(
        subscribed_resource="/derp/1/derc",
        resource=brought[cls],
        status=0,
        subscription_uri="/edev/1/sub/1",
    )
    body = serialize(note)
    assert f'<Resource xsi:type="{cls.__name__}"'.encode() in body
    assert parse(body, res.Notification) == note


def test_a_notification_of_a_type_unknown_here_is_still_read() -> None:
    body = (
        f'<Notification xmlns="{SEP_NS}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
        "<subscribedResource>/fsa</subscribedResource>"
        '<Resource i:type="Forecast" href="/fct/1"><outlook>0</outlook></Resource>'
        "<status>0</status><subscriptionURI>/sub/1</subscriptionURI></Notification>"
    )
    resource = parse(body.encode(), res.Notification).resource
    assert resource is not None
    assert resource.href == "/fct/1"
    assert resource.extensions[1:] == (f'<outlook xmlns="{SEP_NS}">0</outlook>',)
    written = serialize(parse(body.encode(), res.Notification))
    assert etree.fromstring(written).find(f"{{{SEP_NS}}}Resource[@{{{XSI_NS}}}type]") is not None
    assert parse(written, res.Notification).resource == resource


@pytest.mark.parametrize("name", ["Notification", "Link", "ActivePower"])
def test_a_notification_brings_no_notification_and_no_part(name: str) -> None:
    body = (
        f'<Notification xmlns="{SEP_NS}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
        f'<subscribedResource>/fsa</subscribedResource><Resource i:type="{name}" href="/a"/>'
        "<status>0</status><subscriptionURI>/sub/1</subscriptionURI></Notification>"
    )
    with pytest.raises(MalformedError, match=f"Notification/Resource: xsi:type {name} has no"):
        parse(body.encode(), res.Notification)


FOREIGN = f"""<DERControl xmlns="{SEP_NS}" xmlns:v="urn:vendor" xmlns:c="{CSIPAUS_NS}"
    href="/derc/1" future="yes" v:note="a &lt; b" xml:lang="en" v:other="">
  <v:first>x</v:first>
  <mRID>{"0A" * 16}</mRID>
  <creationTime v:by="&quot;clock&quot;">1</creationTime>
  <EventStatus later="1"><currentStatus>0</currentStatus><dateTime>1</dateTime>
    <potentiallySuperseded>false</potentiallySuperseded></EventStatus>
  <interval><duration>600</duration><v:between/><start>1</start></interval>
  <later kind="a"><deep>1 &lt; 2</deep></later>
  <DERControlBase><opModMaxLimW v:why="feeder" disabled="true">5000</opModMaxLimW>
    <c:opModImpLimW v:why="feeder"><multiplier>0</multiplier><value>7</value></c:opModImpLimW>
    <v:opModNew>1</v:opModNew></DERControlBase>
</DERControl>"""


def test_what_a_class_does_not_know_survives_where_it_was() -> None:
    control = parse(FOREIGN.encode(), res.DERControl)
    assert control.interval.duration == 600
    assert control.der_control_base.op_mod_max_lim_w == 5000
    assert control.der_control_base.disabled == {"op_mod_max_lim_w"}
    written = serialize(control)
    assert parse(written, res.DERControl) == control
    assert _facts(etree.fromstring(written)) == _facts(etree.fromstring(FOREIGN))


def _facts(element: etree._Element) -> list[object]:
    """Return an element's name, attributes, text and children, without its prefixes."""
    text = (element.text or "").strip()
    children = [_facts(child) for child in element]
    return [element.tag, sorted(element.items()), text, children]


@given(st.permutations(["<a/>", "<v:b/>", "<mRID>0A</mRID>", "<version>1</version>", "<c/>"]))
def test_the_unknown_comes_back_equal_from_any_order(parts: list[str]) -> None:
    body = f'<DERProgram xmlns="{SEP_NS}" xmlns:v="urn:v">{"".join(parts)}<primacy>1</primacy>'
    program = parse(f"{body}</DERProgram>".encode(), res.DERProgram)
    assert len(program.extensions) == 3
    assert parse(serialize(program), res.DERProgram) == program


@pytest.mark.parametrize(
    "added",
    [
        "<a/>",
        "<a><b/></a>",
        "<v:a><b/></v:a>",
        '<a xmlns="urn:w"><b xmlns=""/></a>',
        "<s:a><b/></s:a>",
    ],
)
def test_what_is_in_no_namespace_stays_in_none(added: str) -> None:
    opening = f'<s:Link xmlns:s="{SEP_NS}" xmlns:v="urn:v" href="/a">'
    body = f"{opening}{added}</s:Link>"
    link = parse(body.encode(), res.Link)
    written = serialize(link)
    assert parse(written, res.Link) == link
    assert _facts(etree.fromstring(written)) == _facts(etree.fromstring(body))


def test_many_unknown_elements_are_written_back() -> None:
    body = f'<Link xmlns="{SEP_NS}" href="/a">{"<a/>" * 20_000}</Link>'
    link = parse(body.encode(), res.Link)
    assert len(link.extensions) == 20_000
    assert parse(serialize(link), res.Link) == link


@pytest.mark.parametrize("namespace", [CSIPAUS_NS, STORAGE_NS])
def test_csip_aus_is_read_from_its_draft_with_storage_too_and_written_as_asked(
    namespace: str,
) -> None:
    body = serialize(IMPORT_LIMIT, csipaus_ns=namespace)
    assert namespace.encode() in body
    assert parse(body, res.DERControl) == IMPORT_LIMIT
    point = res.ConnectionPoint(href="/cp", connection_point_id="6001")
    assert parse_any(serialize(point, csipaus_ns=namespace)) == point


def test_what_the_caller_adds_goes_behind_the_rest() -> None:
    added = '<v:more xmlns:v="urn:v"></v:more>'
    record = res.Registration(date_time_registered=1, pin=111115, extensions=(added,))
    assert serialize(record).endswith(f"</pIN>{added}</Registration>".encode())
    assert parse(serialize(record), res.Registration) == record


def test_the_edition_and_a_type_that_says_nothing_new_are_no_part_of_a_record() -> None:
    body = serialize(IMPORT_LIMIT, schema_ver="2.2")
    named = body.replace(b"<interval>", f'<interval xmlns:i="{XSI_NS}" i:type="x">'.encode())
    assert parse(body, res.DERControl) == IMPORT_LIMIT
    assert parse(named, res.DERControl) != IMPORT_LIMIT
    named = named.replace(b'"x"', b'"DateTimeInterval"')
    assert parse(named, res.DERControl) == IMPORT_LIMIT


@given(
    st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"))
)
def test_any_uri_comes_back(uri: str) -> None:
    note = res.Subscription(
        subscribed_resource="/a", encoding=0, level="", limit=1, notification_uri=uri
    )
    assert parse(serialize(note), res.Subscription).notification_uri == uri.strip()


def test_any_resource_is_told_by_its_root() -> None:
    assert parse_any(serialize(IMPORT_LIMIT)) == IMPORT_LIMIT
    with pytest.raises(MalformedError, match="Link: the root element must be Resource"):
        parse_any(serialize(res.Link(href="/a")))


def test_a_response_may_be_any_kind_of_response() -> None:
    answer = res.DERControlResponse(subject="0A" * 16, end_device_lfdi="0B" * 20, status=1)
    assert parse(serialize(answer), res.Response) == answer


def test_one_bad_event_does_not_spoil_the_others() -> None:
    page = res.DERControlList(all=3, results=3, der_control=(IMPORT_LIMIT,) * 3)
    body = serialize(page).replace(b"<duration>600<", b"<duration>NaN<", 1)
    bad: list[BadItem] = []
    read = parse(body, res.DERControlList, on_bad=bad.append)
    assert read.der_control == (IMPORT_LIMIT,) * 2
    (item,) = bad
    assert (item.kind, item.mrid, item.reply_to) == ("DERControl", "0A" * 16, "/rsps/1/rsp")
    assert str(item.error) == (
        "DERControlList/DERControl/interval/duration: 'NaN' is not an integer"
    )
    assert "<duration>NaN</duration>" in item.xml
    with pytest.raises(MalformedError):
        parse(body, res.DERControlList)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            _control(op_mod_imp_lim_w=res.ActivePower(multiplier=0, value=40_000)),
            "DERControl/DERControlBase/opModImpLimW/value: 40000 is not between -32768 and 32767",
        ),
        (_control(op_mod_max_lim_w=0.5), "DERControlBase/opModMaxLimW: '0.5' is not an integer"),
        (_control(op_mod_connect=1), "DERControlBase/opModConnect: '1' is not a boolean"),
        (_control(op_mod_target_w=1500), "opModTargetW: 1500 is not a ActivePower"),
        (res.Link(href="/\x00"), r"Link/href: character '\\x00' has no place in XML"),
        (
            res.IdentifiedObject(mrid="xyz"),
            "IdentifiedObject/mRID: 'xyz' is not hexadecimal",
        ),
        (
            res.IdentifiedObject(mrid="0A", description="d" * 33),
            "IdentifiedObject/description: 'd+' is longer than 32 characters",
        ),
        (
            res.DERList(all=1, results=1, der=[]),  # type: ignore[arg-type]
            "DERList/DER: list instead of a tuple",
        ),
    ],
)
def test_what_does_not_fit_is_not_written(record: Record, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        serialize(record)
