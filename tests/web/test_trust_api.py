"""The list of trusted devices under /api: who may judge whose devices, and what is no order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from der.model import Ownership
from der.service import Device
from hems.access.rights import Role, Who
from hems.clock import SystemClock
from hems.emg.trust.standing import Cause, TrustStanding
from hems.emg.trust.trust import Trust, TrustEvents
from hems.security.judging import Judging
from hems.security_event import EventKind, SecurityEvent
from hems.store.store import open_store
from tests.der.shelf import SPEC, Shelf
from tests.web.visitor import Visitor
from web.answers import errors_in_words
from web.operation import DOOR, routes
from web.trust_api import TrustAnswer, TrustApi

pytestmark = pytest.mark.requirement("L2-TRUST", "L2-BLOCK", "L1-OWNER", "PRV-RBAC")

OURS, THEIRS = "bat", "provider"


@dataclass
class Asked:
    """An API that is asked, with what is behind it."""

    client: "TestClient[web.Request, web.Application]"
    trust: Trust
    notes: list[SecurityEvent]

    async def post(self, device: str, deed: str, **body: object) -> int:
        """Ask for something; returns the status."""
        return (await self.client.post(f"/api/trust/{device}/{deed}", json=body)).status

    async def standing(self, device: str) -> TrustStanding:
        """Return how a device stands, as the API tells it."""
        answer = await (await self.client.get("/api/trust")).read()
        found = TrustAnswer.model_validate_json(answer).devices
        return next(each.standing for each in found if each.id == device)


async def shelf() -> Shelf:
    """Return what a device's driver would open."""
    found = Shelf()
    found.answers.set()
    return found


@asynccontextmanager
async def asked(folder: Path, role: Role = Role.OWNER) -> AsyncIterator[Asked]:
    specs = [SPEC, replace(SPEC, id=THEIRS, ownership=Ownership.SERVICE_PROVIDER)]
    devices = {spec.id: Device(spec, shelf) for spec in specs}
    clock, notes = SystemClock(), list[SecurityEvent]()
    store = await open_store(folder / "hub.db", clock)
    tell = TrustEvents(lambda _s, _t: None, lambda work: work.close(), lambda: None, notes.append)
    trust = Trust(store.settings, devices, clock, tell)
    await trust.load()
    app = web.Application(middlewares=[errors_in_words])
    app[DOOR] = Visitor(role)
    app.add_routes(routes(TrustApi(lambda: Judging(trust, specs))))
    try:
        async with TestClient(TestServer(app)) as client:
            yield Asked(client, trust, notes)
    finally:
        await store.close()


JUDGES = {
    Role.OWNER: {OURS: 204, THEIRS: 204},
    Role.INSTALLER: {OURS: 204, THEIRS: 403},
    Role.PROVIDER: {OURS: 403, THEIRS: 204},
    Role.HOUSEHOLD: {OURS: 403, THEIRS: 403},
    Role.AGGREGATOR: {OURS: 403, THEIRS: 403},
    Role.AUDITOR: {OURS: 403, THEIRS: 403},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("device", [OURS, THEIRS])
async def test_who_judges_whose_devices(tmp_path: Path, role: Role, device: str) -> None:
    expected = JUDGES[role][device]
    async with asked(tmp_path, role) as api:
        assert await api.post(device, "block", why="it was stolen") == expected
        blocked = expected == 204
        standing = TrustStanding.BLOCKED if blocked else TrustStanding.TRUSTED
        assert await api.standing(device) is standing
        assert len(api.notes) == blocked
        for deed in ("allow", "approve"):
            if not blocked:
                assert await api.post(device, deed) == 403
        if not blocked:
            assert await api.post(device, "lift", why="I say so") == 403


@pytest.mark.parametrize("role", Role)
async def test_who_adds_a_device_approves_it_only_where_they_may_judge_it(
    tmp_path: Path, role: Role
) -> None:
    """A service provider may set devices up, and still has none of its own trusted unseen."""
    specs = [SPEC, replace(SPEC, id=THEIRS, ownership=Ownership.SERVICE_PROVIDER)]
    devices = {spec.id: Device(spec, shelf) for spec in specs}
    clock, notes = SystemClock(), list[SecurityEvent]()
    store = await open_store(tmp_path / "hub.db", clock)
    tell = TrustEvents(lambda _s, _t: None, lambda work: work.close(), lambda: None, notes.append)
    await Trust(store.settings, {}, clock, tell).load()  # a home that keeps its list
    trust = Trust(store.settings, devices, clock, tell)
    await trust.load()
    judging = Judging(trust, specs)
    for _ in range(2):
        for device in (OURS, THEIRS, "nobody"):
            await judging.commissioned(device, Who("Kim", role))
    trusted = {name for name, each in trust.standings.items() if not each.why}
    assert trusted == {name for name, status in JUDGES[role].items() if status == 204}
    words = [each.text for each in notes if each.kind is EventKind.DEVICE_ADMITTED]
    assert len(words) == len(trusted)
    assert all(text.endswith("On the word of Kim.") for text in words)
    await store.close()


async def test_what_was_done_is_written_down_with_who_and_why(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        assert await api.post(OURS, "block", why="it hums") == 204
        assert await api.post(OURS, "allow", why="it was the fan") == 204
        assert [note.kind for note in api.notes] == [
            EventKind.DEVICE_BLOCKED,
            EventKind.DEVICE_ADMITTED,
        ]
        assert api.notes[1].text.endswith("On the word of Ada: it was the fan.")


async def test_a_quarantine_is_lifted_with_a_reason(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        assert await api.post(OURS, "lift", why="why not") == 409
        await api.trust.quarantine(OURS, Cause.FIRMWARE, "it runs what must not run")
        assert await api.post(OURS, "approve") == 409
        assert await api.post(OURS, "lift") == 400
        assert await api.post(OURS, "lift", why="") == 400
        assert await api.standing(OURS) is TrustStanding.QUARANTINED
        assert await api.post(OURS, "lift", why="tried and found well", accept=True) == 204
        assert await api.standing(OURS) is TrustStanding.TRUSTED


@pytest.mark.requirement("LC-TEST")
async def test_what_is_no_order(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        for body in ({}, {"why": ""}, {"why": "x" * 201}, {"why": "a\nb"}, {"why": 1}):
            assert await api.post(OURS, "block", **body) == 400
        assert await api.post(OURS, "block", why="ok", more=1) == 400
        for strange in ("x", "bat%00", "..%2f..", "b" * 5000):
            assert await api.post(strange, "block", why="ok") in {404, 400}
        assert await api.post(OURS, "allow") == 409
        assert await api.standing(OURS) is TrustStanding.TRUSTED
        assert api.notes == []


def test_taking_back_takes_a_proof() -> None:
    proofs = {each.path.rsplit("/", 1)[1]: each.proof for each in TrustApi.operations()}
    assert {deed for deed, proof in proofs.items() if proof} == {"allow", "lift"}
