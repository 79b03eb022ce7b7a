"""Profiles: each home is offered its own, and never meets another's, wherever it goes."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from lxml import etree

from certs.pki import Pki
from hems.headend import hrefs
from hems.headend.errors import SettingsError
from hems.headend.modes import EXPRESSIBLE, MODES_OF, Edition, Mode, ProgramKind
from hems.headend.polling import PollSettings
from hems.headend.profiles import OFFERED, FunctionSet, function_set, offers
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, load_settings
from hems.sep2.resources import (
    DERControlList,
    DERControlResponse,
    DERStatus,
    EndDevice,
    Notification,
    Subscription,
)
from hems.sep2.resources.wire import STORAGE_NS
from hems.sep2.xml import parse
from tests.hems.headend.conftest import SCHEMA_OF, Home, Listen, MakeHome, Operator, schema

pytestmark = pytest.mark.requirement("PRO-2030.5")
WAIT_S = 10.0
AUS = ("https://csipaus.org/ns", STORAGE_NS)
STORAGE_SCHEMA = "csipaus-core-v1.3-beta_storage.xsd"
"""CSIP-AUS says storage targets by a schema of its own."""
STEPS = 400
"""Resources that a walk meets at most."""

PATHS: Mapping[FunctionSet, tuple[str, ...]] = {
    FunctionSet.DRLC: ("/drp", "/drp/2", "/drp/2/edc", "/edev/1/lsl", "/edev/1/drp"),
    FunctionSet.PRICING: ("/tp", "/tp/1", "/tp/1/rc"),
    FunctionSet.MESSAGING: ("/msg", "/msg/1", "/msg/1/txt"),
    FunctionSet.FLOW_RESERVATION: ("/edev/1/frq", "/edev/1/frp"),
    FunctionSet.CONNECTION_POINT: ("/edev/1/cp",),
}
EVERYBODY = (
    *("/dcap", "/tm", "/edev", "/edev/1", "/edev/1/fsa", "/edev/1/der", "/edev/1/lel"),
    *("/edev/1/sub", "/derp", "/derp/1/derc", "/derp/1/dderc", "/mup", "/rsps/1/r"),
)


def links(document: etree._Element) -> Iterator[str]:
    """Yield what a document leads to."""
    for element in document.iter():
        where = element.get("href")
        if where and element is not document:
            yield where


async def walk(home: Home, edition: Edition) -> dict[str, etree._Element]:
    """Return all that is reached by links, each valid against the schema of the profile."""
    seen: dict[str, etree._Element] = {}
    ahead = ["/dcap"]
    while ahead and len(seen) < STEPS:
        path = ahead.pop()
        if path in seen or (await home.ask("GET", path)).status == 404:
            continue  # nothing was put there yet
        answer = await home.ask("GET", f"{path}?l=255")
        assert answer.status == 200, (path, answer.text)
        document = etree.fromstring(answer.body)
        stores = STORAGE_NS.encode() in answer.body and edition is Edition.CSIP_AUS
        validator = schema(STORAGE_SCHEMA if stores else SCHEMA_OF[edition])
        assert validator.validate(document), (path, str(validator.error_log))
        seen[path] = document
        ahead += [each for each in links(document) if each not in seen]
    return seen


async def everything(operator: Operator) -> None:
    """Order all that there is, in all words that there are."""
    await operator.event(limit_import_w=1500, minutes=10)
    await operator.event(limit_generation_w=500, minutes=10, start="+1h")
    await operator.event(storage_target_w=500, minutes=10, start="+2h")
    await operator.event(limit_absorb_var=100, minutes=10, start="+3h")
    await operator.event(limit_generation_percent=50, minutes=10, start="+4h")
    await operator.event(shed_w=2000, minutes=10)
    status, answer = await operator.ask("POST", "/messages", {"text": "hello"})
    assert status == 201, answer


@pytest.mark.parametrize("edition", list(Edition))
async def test_nothing_of_another_profile_is_ever_met(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    await everything(operator)
    ders = DERStatus(reading_time=1_800_000_000)
    assert (await home.ask("PUT", "/edev/1/der/1/ders", ders)).status == 204
    met = await walk(home, edition)
    assert set(EVERYBODY) - {"/rsps/1/r"} <= set(met)
    for path, document in met.items():
        assert offers(edition, path), path
        spaces = {etree.QName(each).namespace for each in document.iter(etree.Element)}
        assert edition is Edition.CSIP_AUS or not spaces & set(AUS), path
        new = document.get("schemaVer") is not None or b"opModMaxLimWAbsorb" in etree.tostring(
            document
        )
        assert edition is Edition.Y2023 or not new, path
    found = {each for path in met if (each := function_set(path)) is not None}
    told = OFFERED[edition] - {FunctionSet.CONNECTION_POINT}  # there is none yet
    assert found == told - ({FunctionSet.PRICING} if "/tp" not in met else set())
    controls = parse((await home.ask("GET", "/derp/1/derc?l=9")).body, DERControlList).der_control
    ordered = (
        {Mode.IMPORT}, {Mode.GENERATION}, {Mode.STORAGE_W}, {Mode.ABSORB_VAR}, {Mode.MAX_PERCENT}
    )  # fmt: skip
    assert len(controls) == sum(modes <= EXPRESSIBLE[edition] for modes in ordered)


@pytest.mark.parametrize("edition", list(Edition))
async def test_what_is_not_offered_is_not_there_by_name_either(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    for kind, paths in PATHS.items():
        for path in paths:
            answer = await home.ask("GET", path)
            hidden = answer.status == 404 and f"{edition} has nothing at" in answer.text
            assert hidden == (kind not in OFFERED[edition]), (path, answer.text)
    for path in EVERYBODY:
        assert (await home.ask("GET", path)).status == 200, path
    device = await home.get("/edev/1", EndDevice)
    flows = FunctionSet.FLOW_RESERVATION in OFFERED[edition]
    assert (device.flow_reservation_request_list_link is not None) == flows
    placed = device.connection_point_link is not None
    assert placed == (edition is Edition.CSIP_AUS)


@pytest.mark.parametrize("edition", list(Edition))
async def test_what_a_profile_does_not_show_is_not_answered_either(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    """It would count as taken part in; who was never told of it is refused as for nothing."""
    home = make_home("home-a")
    await operator.enter(home, edition)
    asked: Mapping[Mode, dict[str, object]] = {
        Mode.IMPORT: {"limit_import_w": 1500},
        Mode.GENERATION: {"limit_generation_w": 500},
        Mode.ABSORB_VAR: {"limit_absorb_var": 100},
        Mode.MAX_PERCENT: {"limit_generation_percent": 50},
        Mode.SHED: {"shed_w": 2000},
    }
    told = {
        str((await operator.event(minutes=10, **wish))["id"]): mode in EXPRESSIBLE[edition]
        for mode, wish in asked.items()
    }
    _, message = await operator.ask("POST", "/messages", {"text": "hello"})
    told[str(message["id"])] = FunctionSet.MESSAGING in OFFERED[edition]
    refusals = set()
    for mrid, is_told in told.items():
        said = DERControlResponse(
            created_date_time=1_800_000_000, end_device_lfdi=home.lfdi, status=1, subject=mrid
        )
        answer = await home.ask("POST", "/rsps/1/r", said)
        assert answer.status == (201 if is_told else 400), (mrid, answer.text)
        if not is_told:
            refusals.add(answer.text.replace(mrid, ""))
    assert len(refusals) <= 1


@pytest.mark.parametrize("edition", list(Edition))
async def test_what_is_not_offered_cannot_be_subscribed_to_nor_is_it_told(
    make_home: MakeHome, operator: Operator, listen: Listen, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        heard.put_nowait(body)
        return 204

    uri = await listen(home.server_tls, hook)

    async def subscribe(resource: str) -> int:
        wish = Subscription(
            subscribed_resource=resource, encoding=0, level="-S1", limit=9, notification_uri=uri
        )
        return (await home.ask("POST", "/edev/1/sub", wish)).status

    lists = {"/drp/2/edc": FunctionSet.DRLC, "/msg/1/txt": FunctionSet.MESSAGING,
             "/edev/1/frp": FunctionSet.FLOW_RESERVATION, "/tp": FunctionSet.PRICING}  # fmt: skip
    for path, kind in lists.items():
        assert await subscribe(path) == (201 if kind in OFFERED[edition] else 400), path
    assert await subscribe("/derp/1/derc") == 201
    event = await operator.event(shed_w=2000, minutes=10)
    (answer,) = event["homes"]
    assert answer["told"] == (FunctionSet.DRLC in OFFERED[edition])
    await operator.event(limit_generation_percent=50, minutes=10)
    validator = schema(SCHEMA_OF[edition])
    while True:
        body = await asyncio.wait_for(heard.get(), WAIT_S)
        document = etree.fromstring(body)
        assert validator.validate(document), str(validator.error_log)
        told = parse(body, Notification)
        assert offers(edition, told.subscribed_resource)
        if told.subscribed_resource == "/derp/1/derc":
            break


def test_a_profile_without_drlc_has_no_word_for_it() -> None:
    for edition in Edition:
        words = bool(EXPRESSIBLE[edition] & MODES_OF[ProgramKind.DRLC])
        assert words == (FunctionSet.DRLC in OFFERED[edition]), edition


def test_each_path_belongs_to_one_function_set() -> None:
    for kind, paths in PATHS.items():
        for path in paths:
            assert function_set(path) is kind
            assert function_set(f"{path}?l=5".partition("?")[0] + "/more") is kind
    for path in (*EVERYBODY, "", "/", "/drpx", "/edev/1/frqx", "/edev/drp", "/x/1/lsl"):
        assert function_set(path) is None, path
    assert offers(Edition.CSIP, hrefs.DER_PROGRAMS)


async def test_each_profile_is_polled_at_its_own_rate(settings: HeadEndSettings, pki: Pki) -> None:
    polling = {
        Edition.CSIP: PollSettings(dcap_poll_s=300, list_poll_s=301, time_poll_s=302),
        Edition.CSIP_AUS: PollSettings(post_rate_s=77),
    }
    changed = settings.model_copy(update={"polling": polling, "edition": Edition.CSIP})
    async with HeadEnd(changed) as head_end:
        operator = Operator(head_end)
        for name, edition, rates in (
            ("home-a", Edition.CSIP, (300, 301, 302, 10)),
            ("home-b", Edition.CSIP_AUS, (60, 60, 60, 77)),
            ("home-c", None, (300, 301, 302, 10)),
        ):
            home = Home(pki.identity(name), pki, head_end.addresses.base_url)
            wish = {"lfdi": home.lfdi, "pin": "123455"}
            wish |= {} if edition is None else {"edition": edition.value}
            status, entered = await operator.ask("POST", "/homes", wish)
            assert status == 201, entered
            assert entered["edition"] == (edition or Edition.CSIP).value
            said = {}
            for path in ("/dcap", "/edev", "/tm", "/derp", "/mup"):
                body = (await home.ask("GET", path)).body
                said[path] = int(re.findall(rb'pollRate="(\d+)"', body)[0])
            assert (said["/dcap"], said["/edev"], said["/tm"]) == rates[:3], name
            assert said["/derp"] == said["/mup"] == rates[1]
            device = (await home.ask("GET", "/edev")).body
            assert f"<postRate>{rates[3]}</postRate>".encode() in device
            await home.aclose()
        await operator.aclose()


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("[polling.csip2]\nlist_poll_s = 5", "polling.csip2"),
        ("[polling.csip]\nlist_poll_s = 0", "polling.csip.list_poll_s"),
        ("[polling.csip]\npoll_s = 5", "polling.csip.poll_s"),
        ('edition = "csip-us"', "edition"),
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path: Path, lines: str, where: str) -> None:
    path = tmp_path / "headend.toml"
    names = ("database", "certificate", "key", "roots", "crls", "token_file")
    path.write_text("".join(f'{name} = "x"\n' for name in names) + lines + "\n")
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    assert f"headend.toml: {where}" in str(refused.value)
