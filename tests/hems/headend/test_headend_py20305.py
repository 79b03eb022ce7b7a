"""A client of other hands, py20305, walks our tree."""

import pytest
from py20305.client.discovery import discover
from py20305.client.http import Sep2Client
from py20305.client.state import DiscoveredState
from py20305.client.tls import TlsConfig

from certs.pki import Pki
from hems.headend.records import Edition
from tests.hems.headend.conftest import PIN, MakeHome, Operator


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize("edition", [Edition.CSIP_AUS, Edition.Y2023])
async def test_py20305_finds_programmes_and_controls(
    operator: Operator,
    make_home: MakeHome,
    pki: Pki,
    edition: Edition,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="py20305")
    home = make_home("home-a")
    await operator.enter(home, edition)
    events = [await operator.event(limit_import_w=watts, minutes=5) for watts in (1500, 1400)]
    points = [[0.92, 44], [1.08, -44]]
    events.append(await operator.event(volt_var={"points": points}, minutes=5))
    identity = pki.identity("home-a")
    tls = TlsConfig(identity.certificate, identity.key, pki.trust.roots, check_hostname=False)
    found = DiscoveredState()
    async with Sep2Client(home.base_url, tls) as client:
        await discover(client, found, registration_pins={home.lfdi.lower(): int(PIN)})
    assert "PIN verified" in caplog.text
    (device,) = found.end_devices.values()
    assert device.lfdi.hex().upper() == home.lfdi
    assert device.der_status_href is not None
    assert device.subscription_list_href is not None
    (program,) = found.der_programs.values()
    assert (program.primacy, program.program.description) == (10, "Peak Saver")
    assert program.der_controls_complete
    assert program.derc_list_subscribable
    assert program.default_dercontrol is not None
    (curve,) = program.der_curves
    assert (curve.curve_type.value, curve.x_multiplier.value) == (11, 0)
    assert [(p.xvalue, p.yvalue) for p in curve.curve_data] == [(92, 44), (108, -44)]
    assert {c.m_rid.value.hex().upper() for c in program.der_controls} == {
        event["id"] for event in events
    }
