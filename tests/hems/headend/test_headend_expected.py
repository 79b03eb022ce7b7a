"""Hubs that are approved before they ask: by maker, serial number and PIN, once each."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from certs.est import client
from certs.est.client import Holder
from certs.est.errors import EstError, Fault, WaitError
from certs.identity import lfdi, make_pin
from certs.issue import new_key
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device
from certs.verify import hardware_name
from hems.headend.est.settings import EstSettings
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.enrolling import Utility, running

pytestmark = pytest.mark.requirement("L1-AUTH", "LC-COMMISSION", "PRO-2030.5")

PIN = make_pin(31_415)


@pytest.fixture
def makers(tmp_path: Path) -> Pki:
    return init_pki(tmp_path / "maker", label="Maker")


@pytest.fixture
async def utility(settings: HeadEndSettings, pki: Pki, makers: Pki) -> AsyncIterator[Utility]:
    est = EstSettings(pki=pki.folder, manufacturers=makers.trust.roots)
    async with running(settings, pki, est) as found:
        yield found


def holder(makers: Pki, name: str) -> Holder:
    files = issue_device(makers, name)
    return Holder(files, hardware_name(read_certificates(files.certificate)[0]))


def order(*hubs: Holder, **more: Any) -> dict[str, Any]:
    return {
        "hubs": [{"kind": h.name.kind, "serial": h.name.serial.hex(), **more} for h in hubs],
    }


async def approved(utility: Utility, *hubs: Holder, **more: Any) -> list[dict[str, Any]]:
    status, made = await utility.operator.ask("POST", "/expected-hubs", order(*hubs, **more))
    assert status == 201, made
    return list(made["hubs"])


async def states(utility: Utility) -> list[str]:
    _, found = await utility.operator.ask("GET", "/enrolments")
    return [each["state"] for each in found["enrolments"]]


async def test_it_enrols_at_once_and_is_registered_by_its_pin(
    utility: Utility, makers: Pki
) -> None:
    hub, other = holder(makers, "SN1"), holder(makers, "SN2")
    (told,) = await approved(utility, hub, pin=PIN, edition="2023")
    code = await utility.code(manufacturer=True)
    issued = await client.enrol(code, key := new_key(), hub, time.time)
    own = lfdi(der(issued.chain[0]))
    home = utility.head_end.book.home(own)
    assert home is not None
    assert (f"{home.pin:06d}", home.edition.value) == (PIN, "2023")
    again = await client.enrol(code, key, hub, time.time)
    assert again.chain[0] == issued.chain[0], "an answer that was lost costs nothing"
    with pytest.raises(WaitError):
        await client.enrol(code, new_key(), other, time.time)
    _, found = await utility.operator.ask("GET", "/expected-hubs")
    assert [(each["id"], each["used"]) for each in found["hubs"]] == [(told["id"], True)]


async def test_it_counts_once_and_anew_if_the_operator_says_so(
    utility: Utility, makers: Pki
) -> None:
    hub = holder(makers, "SN1")
    await approved(utility, hub)
    code = await utility.code(manufacturer=True)
    await client.enrol(code, new_key(), hub, time.time)
    reset = new_key()
    with pytest.raises(WaitError):
        await client.enrol(code, reset, hub, time.time)
    await approved(utility, hub)
    assert await client.enrol(code, reset, hub, time.time), "one that waits has not to ask anew"
    assert await states(utility) == ["issued", "issued"]


@pytest.mark.parametrize("wrong", ["kind", "serial", "dropped", "over"])
async def test_another_make_another_number_or_too_late_is_not_it(
    utility: Utility, makers: Pki, wrong: str
) -> None:
    hub = holder(makers, "SN1")
    wish: dict[str, Any] = order(hub)
    if wrong == "kind":
        wish["hubs"][0]["kind"] = "1.3.6.1.4.1.32473.2"
    elif wrong == "serial":
        wish["hubs"][0]["serial"] = "00"
    elif wrong == "over":
        wish["days"] = 1e-9
    _, made = await utility.operator.ask("POST", "/expected-hubs", wish)
    if wrong == "dropped":
        path = f"/expected-hubs/{made['hubs'][0]['id']}"
        assert (await utility.operator.ask("DELETE", path))[0] == 200
        assert (await utility.operator.ask("DELETE", path))[0] == 404
    code = await utility.code(manufacturer=True)
    with pytest.raises(WaitError):
        await client.enrol(code, new_key(), hub, time.time)
    assert await states(utility) == ["waiting"]


async def test_who_cannot_show_the_makers_certificate_gets_none(
    utility: Utility, makers: Pki, tmp_path: Path
) -> None:
    await approved(utility, holder(makers, "SN1"))
    code = await utility.code(manufacturer=True)
    fake = holder(init_pki(tmp_path / "fake", label="Maker"), "SN1")
    with pytest.raises(EstError) as caught:
        await client.enrol(code, new_key(), fake, time.time)
    assert caught.value.fault in {Fault.UNREACHABLE, Fault.UNTRUSTED, Fault.REFUSED}
    assert await states(utility) == []


async def test_they_outlive_a_restart(settings: HeadEndSettings, pki: Pki, makers: Pki) -> None:
    hub = holder(makers, "SN1")
    est = EstSettings(pki=pki.folder, manufacturers=makers.trust.roots)
    async with running(settings, pki, est) as utility:
        await approved(utility, hub, pin=PIN)
    async with running(settings, pki, est) as utility:
        code = await utility.code(manufacturer=True)
        assert (await client.enrol(code, new_key(), hub, time.time)).chain


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"hubs": []}, "hubs"),
        ({"hubs": [{"kind": "x", "serial": "00"}]}, "kind"),
        ({"hubs": [{"kind": "1.2", "serial": "0"}]}, "serial"),
        ({"hubs": [{"kind": "1.2", "serial": ""}]}, "serial"),
        ({"hubs": [{"kind": "1.2", "serial": "00", "pin": "123456"}]}, "not a PIN"),
        ({"hubs": [{"kind": "1.2", "serial": "00"}] * 2}, "named twice"),
        ({"hubs": [{"kind": "1.2", "serial": "00"}], "days": 0}, "days"),
    ],
)
async def test_what_makes_no_sense_is_named_and_none_is_kept(
    utility: Utility, wish: dict[str, Any], said: str
) -> None:
    status, answer = await utility.operator.ask("POST", "/expected-hubs", wish)
    assert 400 <= status < 500
    assert said in str(answer)
    _, found = await utility.operator.ask("GET", "/expected-hubs")
    assert found == {"hubs": []}
