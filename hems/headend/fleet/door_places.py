"""The operator's door for groups and sites."""

from aiohttp import web

from hems.headend.errors import RequestError
from hems.headend.fleet.door_models import (
    GroupIn,
    GroupOut,
    GroupsIn,
    GroupsOut,
    MembersIn,
    MembersOut,
    SiteIn,
    SiteOut,
    SitesOut,
)
from hems.headend.fleet.door_words import Who, limit_of, name_in, part_of, wanted
from hems.headend.fleet.import_rows import ID
from hems.headend.fleet.memory import FleetMemory
from hems.headend.fleet.places import Places
from hems.headend.operator_door import json_answer, read_model


class PlaceDoor:
    """Groups and sites.

    Args:
        places: They.
        memory: The topology.
        who: Who asks.
    """

    def __init__(self, places: Places, memory: FleetMemory, who: Who) -> None:
        self._places = places
        self._memory = memory
        self._who = who

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get("/fleet/groups", self.get_groups),
            web.post("/fleet/groups", self.post_groups),
            web.get("/fleet/groups/{id}", self.get_group),
            web.put("/fleet/groups/{id}", self.put_group),
            web.delete("/fleet/groups/{id}", self.delete_group),
            web.get("/fleet/groups/{id}/members", self.get_members),
            web.put("/fleet/groups/{id}/members", self.put_members),
            web.get("/fleet/sites", self.get_sites),
            web.get("/fleet/sites/{id}", self.get_site),
            web.put("/fleet/sites/{id}", self.put_site),
            web.delete("/fleet/sites/{id}", self.delete_site),
        ]

    async def get_groups(self, request: web.Request) -> web.Response:
        """Answer groups by id; `parent` asks for those right under one, empty for the roots."""
        topology, limit = self._memory.topology, limit_of(request)
        names = topology.groups.keys()
        if request.query.get("parent") == "":
            names = dict.fromkeys(topology.children("")).keys()
        elif (parent := wanted(request, "parent")) is not None:
            topology.group(parent)
            names = dict.fromkeys(topology.children(parent)).keys()
        after = wanted(request, "after") or ""
        rest = sorted(name for name in names if name > after)[: limit + 1]
        shown, more = part_of(rest, limit)
        return json_answer(
            GroupsOut(
                groups=[self._group(each) for each in shown], next=shown[-1] if more else None
            )
        )

    async def post_groups(self, request: web.Request) -> web.Response:
        """Enter or change several groups, all or none."""
        wish = await read_model(request, GroupsIn)
        groups = [each.record(each.id) for each in wish.groups]
        await self._places.save_groups(groups, self._who(request))
        made = GroupsOut(groups=[self._group(each.id) for each in groups], next=None)
        return json_answer(made, 201)

    async def get_group(self, request: web.Request) -> web.Response:
        """Answer a group."""
        return json_answer(self._group(name_in(request)))

    async def put_group(self, request: web.Request) -> web.Response:
        """Enter or change a group."""
        name = _new_name(request)
        wish = await read_model(request, GroupIn)
        await self._places.save_groups([wish.record(name)], self._who(request))
        return json_answer(self._group(name))

    async def delete_group(self, request: web.Request) -> web.Response:
        """Drop a group that nothing hangs on."""
        name = name_in(request)
        gone = self._group(name)
        await self._places.drop_group(name, self._who(request))
        return json_answer(gone)

    async def get_members(self, request: web.Request) -> web.Response:
        """Answer the sites of a free group itself."""
        name = name_in(request)
        self._memory.topology.group(name)
        return json_answer(MembersOut(sites=list(await self._places.members(name))))

    async def put_members(self, request: web.Request) -> web.Response:
        """Have a free group consist of these sites."""
        wish = await read_model(request, MembersIn)
        name = name_in(request)
        await self._places.set_members(name, wish.sites, self._who(request))
        return json_answer(MembersOut(sites=list(await self._places.members(name))))

    async def get_sites(self, request: web.Request) -> web.Response:
        """Answer sites by id; `group` asks for those of one and all below it."""
        limit = limit_of(request)
        after = wanted(request, "after") or ""
        found = await self._places.sites(wanted(request, "group"), after, limit + 1)
        shown, more = part_of(found, limit)
        return json_answer(
            SitesOut(
                sites=[SiteOut.of(each) for each in shown], next=shown[-1].id if more else None
            )
        )

    async def get_site(self, request: web.Request) -> web.Response:
        """Answer a site."""
        return json_answer(SiteOut.of(await self._places.site(name_in(request))))

    async def put_site(self, request: web.Request) -> web.Response:
        """Enter or change a site."""
        name = _new_name(request)
        wish = await read_model(request, SiteIn)
        site = wish.record(name)
        await self._places.save_site(site, self._who(request), wish.reason)
        return json_answer(SiteOut.of(site))

    async def delete_site(self, request: web.Request) -> web.Response:
        """Drop a site at which there never was a hub."""
        site = await self._places.site(name_in(request))
        await self._places.drop_site(site.id, self._who(request))
        return json_answer(SiteOut.of(site))

    def _group(self, name: str) -> GroupOut:
        topology = self._memory.topology
        return GroupOut.of(topology.group(name), topology.above(name)[1:])


def _new_name(request: web.Request) -> str:
    """Return the id in the path of what may be new.

    Raises:
        RequestError: It is no id.
    """
    name = request.match_info["id"]
    if not ID.fullmatch(name):
        raise RequestError(
            f"{name[:40]!a} is no id: 1 to 64 letters, digits, dots, colons, _ and -, the "
            "first one a letter or digit"
        )
    return name
