"""The software agent and the hub's inventory under /api."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from hems.access.rights import Right
from hems.agent.surface import AgentSurface, InventoryView
from hems.surface import SurfaceError
from web.models import Answer
from web.operation import Operation, Refusals
from web.words import Words


class AgentAnswer(Answer):
    """The software agent; fields as in `hems.agent.surface.AgentView`."""

    watched: bool
    heard_at: float | None
    checked: bool
    publisher: str
    version: str
    number: int
    until: float | None
    files: Sequence[str]
    registers: Mapping[str, str]
    troubles: Sequence[Words]
    excluded: bool


class PartAnswer(Answer):
    """A part with a firmware of its own; fields as in `hems.agent.surface.PartView`."""

    id: str
    name: str
    maker: str
    model: str
    serial: str
    firmware: str


class InventoryAnswer(Answer):
    """What the hub consists of; fields as in `hems.agent.surface.InventoryView`."""

    software: str
    options: Sequence[str]
    maker: str
    model: str
    hardware: str
    serial: str
    system: str
    kernel: str
    python: str
    openssl: str
    devices: Sequence[PartAnswer]


class AgentHub(AgentSurface, Protocol):
    """The agent, and the hub that it watches over."""

    async def inventory(self) -> InventoryView:
        """Return what the hub consists of; asks its devices."""
        ...


class AgentApi:
    """What can be asked of the software agent, under /api."""

    def __init__(self, surface: AgentHub) -> None:
        self._surface = surface

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        conflict: Refusals = {SurfaceError: HTTPStatus.CONFLICT}
        return [
            Operation("GET", "/api/agent", cls.agent, Right.SET_UP),
            Operation("GET", "/api/agent/inventory", cls.inventory, Right.SET_UP),
            Operation("POST", "/api/agent/measure", cls.measure, Right.SET_UP, refusals=conflict),
            Operation(
                "POST",
                "/api/agent/boot",
                cls.accept_boot,
                Right.OWN,
                refusals=conflict,
                proof=True,
            ),
        ]

    async def agent(self) -> AgentAnswer:
        """Return how the agent and what it watches over stand."""
        return AgentAnswer.model_validate(self._surface.agent())

    async def inventory(self) -> InventoryAnswer:
        """Return what the hub consists of."""
        return InventoryAnswer.model_validate(await self._surface.inventory())

    async def measure(self) -> None:
        """Have the agent measure everything anew."""
        self._surface.measure()

    async def accept_boot(self) -> None:
        """Take how the hub's machine has started now for how it is to start."""
        await self._surface.accept_boot()
