"""The operator's door for hubs: their life, their tests, their papers, their history."""

from aiohttp import web

from hems.headend.errors import RequestError
from hems.headend.fleet.commissioning import unchanged
from hems.headend.fleet.door_hub_models import (
    ChangeOut,
    CommissioningIn,
    CommissioningOut,
    CommissioningsOut,
    CountsOut,
    HistoryOut,
    HubIn,
    HubOut,
    HubsOut,
    LicenceIn,
    MoveIn,
    PolicyIn,
    ReplacedOut,
    ReplaceIn,
    SiteOfIn,
    TestWindowIn,
)
from hems.headend.fleet.door_words import Who, limit_of, name_in, part_of, wanted
from hems.headend.fleet.hub_store import HubQuery
from hems.headend.fleet.hubs import Hubs
from hems.headend.fleet.memory import FleetMemory
from hems.headend.fleet.papers import Papers
from hems.headend.fleet.records import Commissioning, Hub, State
from hems.headend.operator_door import json_answer, number_in, read_model

_HOUR_S = 3_600.0


class HubDoor:
    """Hubs.

    Args:
        hubs: They.
        papers: What goes with them.
        memory: In which groups they are.
        who: Who asks.
    """

    def __init__(self, hubs: Hubs, papers: Papers, memory: FleetMemory, who: Who) -> None:
        self._hubs = hubs
        self._papers = papers
        self._memory = memory
        self._who = who

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        hub = "/fleet/hubs/{id}"
        return [
            web.get("/fleet", self.get_counts),
            web.get("/fleet/hubs", self.get_hubs),
            web.post("/fleet/hubs", self.post_hub),
            web.get(hub, self.get_hub),
            web.post(f"{hub}/state", self.post_state),
            web.post(f"{hub}/test-window", self.post_test_window),
            web.get(f"{hub}/commissioning", self.get_commissioning),
            web.post(f"{hub}/commissioning", self.post_commissioning),
            web.post(f"{hub}/replace", self.post_replace),
            web.put(f"{hub}/licence", self.put_licence),
            web.put(f"{hub}/policy", self.put_policy),
            web.put(f"{hub}/site", self.put_site),
            web.get(f"{hub}/history", self.get_history),
        ]

    async def get_counts(self, _request: web.Request) -> web.Response:
        """Answer how many hubs there are of each state."""
        return json_answer(CountsOut(hubs=await self._hubs.counts()))

    async def get_hubs(self, request: web.Request) -> web.Response:
        """Answer hubs by id; `state`, `site` and `group` (with all below it) narrow them."""
        limit, group = limit_of(request), wanted(request, "group")
        if group is not None:
            self._memory.topology.group(group)
        found = await self._hubs.hubs(
            HubQuery(
                state=_state_in(request),
                group=group,
                site=wanted(request, "site"),
                after=wanted(request, "after") or "",
                limit=limit + 1,
            )
        )
        shown, more = part_of(found, limit)
        return json_answer(
            HubsOut(hubs=[self._out(each) for each in shown], next=shown[-1].id if more else None)
        )

    async def post_hub(self, request: web.Request) -> web.Response:
        """Enter a hub."""
        wish = await read_model(request, HubIn)
        hub = await self._hubs.enter(wish.record(), self._who(request))
        return json_answer(self._out(hub), 201, {"Location": f"/fleet/hubs/{hub.id}"})

    async def get_hub(self, request: web.Request) -> web.Response:
        """Answer a hub, by its id or an identity that it has or had."""
        return json_answer(self._out(await self._hubs.hub(name_in(request))))

    async def post_state(self, request: web.Request) -> web.Response:
        """Take a hub to another state."""
        wish = await read_model(request, MoveIn)
        moved = await self._hubs.move(name_in(request), wish.to, self._who(request), wish.reason)
        return json_answer(self._out(moved))

    async def post_test_window(self, request: web.Request) -> web.Response:
        """Serve an enrolled hub for its test for a while."""
        wish = await read_model(request, TestWindowIn)
        who, lasting_s = self._who(request), wish.hours * _HOUR_S
        return json_answer(self._out(await self._hubs.open_test(name_in(request), who, lasting_s)))

    async def get_commissioning(self, request: web.Request) -> web.Response:
        """Answer the tests of a hub, latest first."""
        tests = await self._hubs.tests(name_in(request))
        return json_answer(CommissioningsOut(commissionings=[_test(each) for each in tests]))

    async def post_commissioning(self, request: web.Request) -> web.Response:
        """Keep the record of a test, passed or not."""
        wish = await read_model(request, CommissioningIn)
        kept = await self._hubs.commission(name_in(request), wish.record(), self._who(request))
        return json_answer(_test(kept), 201)

    async def post_replace(self, request: web.Request) -> web.Response:
        """Have a new hub take the place of an old one."""
        wish = await read_model(request, ReplaceIn)
        old, new = await self._hubs.replace(
            name_in(request), wish.by, self._who(request), wish.reason
        )
        return json_answer(ReplacedOut(old=self._out(old), new=self._out(new)))

    async def put_licence(self, request: web.Request) -> web.Response:
        """Give a hub a licence, or take it."""
        wish = await read_model(request, LicenceIn)
        name, who = name_in(request), self._who(request)
        hub = await self._papers.set_licence(name, wish.record(), who, wish.reason)
        return json_answer(self._out(hub))

    async def put_policy(self, request: web.Request) -> web.Response:
        """Say what a hub may be asked for."""
        wish = await read_model(request, PolicyIn)
        name, who = name_in(request), self._who(request)
        return json_answer(
            self._out(await self._papers.set_policy(name, wish.record(), who, wish.reason))
        )

    async def put_site(self, request: web.Request) -> web.Response:
        """Bring a hub to a site, or back to stock."""
        wish = await read_model(request, SiteOfIn)
        name, who = name_in(request), self._who(request)
        hub = await self._papers.set_site(name, wish.site or "", who, wish.reason)
        return json_answer(self._out(hub))

    async def get_history(self, request: web.Request) -> web.Response:
        """Answer the history of a hub and of all whose place it took, latest first."""
        limit = limit_of(request)
        before = int(number_in(request, "before", 0))
        found = await self._hubs.history(name_in(request), before or None, limit + 1)
        shown, more = part_of(found, limit)
        return json_answer(
            HistoryOut(
                changes=[ChangeOut.of(each) for each in shown],
                next=shown[-1].id if more else None,
            )
        )

    def _out(self, hub: Hub) -> HubOut:
        return HubOut.of(hub, self._memory.groups_of(hub.lfdi))


def _state_in(request: web.Request) -> State | None:
    name = request.query.get("state")
    try:
        return None if name is None else State(name)
    except ValueError:
        known = ", ".join(State)
        raise RequestError(f"query parameter state is none of {known}") from None


def _test(record: Commissioning) -> CommissioningOut:
    return CommissioningOut.of(record, whole=unchanged(record))
