"""Finding, adding, changing and removing devices under /api."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from hems.access.rights import Right, Who
from hems.setup.found_surface import BusyError, FoundSurface, RefusedError
from web.found_models import (
    ChoicesAnswer,
    DeviceSettingsAnswer,
    EditBody,
    JoinAnswer,
    JoinBody,
    SearchAnswer,
    SearchBody,
    all_choices,
)
from web.operation import Operation

_REFUSALS: Final[Mapping[type[Exception], HTTPStatus]] = {
    BusyError: HTTPStatus.CONFLICT,
    RefusedError: HTTPStatus.BAD_REQUEST,
}


class FoundApi:
    """What can be asked about devices that come, change and go, under /api."""

    def __init__(self, surface: FoundSurface) -> None:
        self._surface = surface

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        right, accepted = Right.SET_UP, HTTPStatus.ACCEPTED
        return [
            Operation("GET", "/api/found", cls.search, right),
            Operation("POST", "/api/found", cls.start, right, accepted, _REFUSALS),
            Operation("DELETE", "/api/found", cls.stop, right),
            Operation("GET", "/api/found/choices", cls.choices, right),
            Operation("GET", "/api/found/join", cls.joining, right),
            Operation("POST", "/api/found/join", cls.join, right, accepted, _REFUSALS),
            Operation("DELETE", "/api/found/join", cls.drop, right),
            Operation("POST", "/api/found/join/confirm", cls.confirm, right, refusals=_REFUSALS),
            Operation("GET", "/api/devices/{device}/settings", cls.settings, Right.SEE),
            Operation("PUT", "/api/devices/{device}/settings", cls.edit, right, refusals=_REFUSALS),
            Operation("DELETE", "/api/devices/{device}", cls.remove, right, refusals=_REFUSALS),
        ]

    async def search(self) -> SearchAnswer:
        """Return how the last search for devices stands, and what it found."""
        return SearchAnswer.model_validate(self._surface.search())

    async def start(self, body: SearchBody = SearchBody()) -> SearchAnswer:  # noqa: B008 (frozen)
        """Start a search for devices in the background; one at a time."""
        return SearchAnswer.model_validate(self._surface.start(body.search()))

    async def stop(self) -> SearchAnswer:
        """End the search that is under way."""
        await self._surface.stop()
        return SearchAnswer.model_validate(self._surface.search())

    async def choices(self) -> ChoicesAnswer:
        """Return what there is to choose from for a device that was not found by itself."""
        return all_choices()

    async def joining(self) -> JoinAnswer:
        """Return how the last adding of a device stands."""
        return JoinAnswer.model_validate(self._surface.joining())

    async def join(self, body: JoinBody) -> JoinAnswer:
        """Have a device join, with a test move, in the background; one at a time."""
        return JoinAnswer.model_validate(self._surface.join(body.joining()))

    async def drop(self) -> JoinAnswer:
        """Give up the device that is to join."""
        return JoinAnswer.model_validate(await self._surface.drop())

    async def confirm(self, who: Who) -> JoinAnswer:
        """Keep the device that was tested; it is trusted where who says so may judge it."""
        return JoinAnswer.model_validate(await self._surface.confirm(who))

    async def settings(self, device: str) -> DeviceSettingsAnswer:
        """Return what stands of a device in the home's files, and what of it may be changed."""
        return DeviceSettingsAnswer.model_validate(await self._surface.settings(device))

    async def edit(self, device: str, body: EditBody) -> None:
        """Change what stands of a device in the devices file; the running home follows."""
        await self._surface.edit(device, body.edit())

    async def remove(self, device: str) -> None:
        """Take a device out of the devices file; the running home gives it back."""
        await self._surface.remove(device)
