"""The hub's own software under /api: what runs, what is offered, and what is done about it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from hems.access.rights import Right, Who
from hems.software.surface import Stage, UpdatesSurface, When
from hems.surface import SurfaceError
from web.models import Answer, Input
from web.operation import Operation, Refusals
from web.words import Words

Version = Annotated[str, Field(min_length=1, max_length=128)]


class SoftwareOfferAnswer(Answer):
    """A newer version; fields as in `hems.software.surface.OfferView`."""

    version: str
    words: str
    vendor: str
    provider: str
    fits: bool
    failed: bool
    put_off: bool


class UpdatesAnswer(Answer):
    """The hub's own software; fields as in `hems.software.surface.UpdatesView`."""

    runs: str
    warning: Words
    able: bool
    looks: bool
    looked_at: float | None
    offer: SoftwareOfferAnswer | None
    stage: Stage
    version: str
    until: float | None
    hurried: bool
    former: str
    returned: Words
    error: Words
    automatic: bool
    window: str


class InstallOrder(Input):
    """Which version is to be installed, and when it may take the place of the one that runs."""

    version: Version
    when: When = "window"


class PutOffOrder(Input):
    """Which version is not wanted now."""

    version: Version


class UpdatesApi:
    """What can be asked of the hub's own software.

    Args:
        surface: Who looks after it.
    """

    def __init__(self, surface: UpdatesSurface) -> None:
        self._surface = surface

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        path, own = "/api/updates", Right.OWN
        refusals: Refusals = {SurfaceError: HTTPStatus.CONFLICT}
        return [
            Operation("GET", path, cls.updates, Right.SET_UP),
            Operation("POST", f"{path}/install", cls.install, own, refusals=refusals, proof=True),
            Operation("POST", f"{path}/put-off", cls.put_off, own, refusals=refusals),
            Operation("POST", f"{path}/back", cls.back, own, refusals=refusals, proof=True),
        ]

    async def updates(self) -> UpdatesAnswer:
        """Return which version runs, what is offered, and how far a change is."""
        return UpdatesAnswer.model_validate(await self._surface.updates())

    async def install(self, body: InstallOrder, who: Who) -> None:
        """Have the version that is offered installed and tried; it goes on after the answer."""
        await self._surface.install(body.version, body.when, who.name)

    async def put_off(self, body: PutOffOrder, who: Who) -> None:
        """Have a version not tried, and say no more of it."""
        await self._surface.put_off(body.version, who.name)

    async def back(self, who: Who) -> None:
        """Have the former version run from the next quiet moment on."""
        await self._surface.go_back(who.name)
