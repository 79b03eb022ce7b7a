"""One entity of Home Assistant: what is announced of it, and where its state goes.

Configuration keys are those of Home Assistant's MQTT integration, spelt out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

UNKNOWN: Final = "None"
"""The payload by which a state is unknown: never 0, never the last that was known."""
ONLINE: Final = "online"
OFFLINE: Final = "offline"
_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST: Final = 64


class Component(StrEnum):
    """The kinds of entities that the home has."""

    SENSOR = "sensor"
    BINARY_SENSOR = "binary_sensor"
    SWITCH = "switch"
    NUMBER = "number"
    SELECT = "select"
    BUTTON = "button"


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is on the broker.

    Attributes:
        hub: The hub's own id; it never changes.
        prefix: Home Assistant's discovery prefix.
    """

    hub: str
    prefix: str = "homeassistant"

    @property
    def node(self) -> str:
        """What all entities of this hub have in common."""
        return f"hems_{self.hub}"

    @property
    def base(self) -> str:
        """The topic below which states and commands are."""
        return f"hems/{self.hub}"

    @property
    def availability(self) -> str:
        """Where the hub says that it is there; its last will."""
        return f"{self.base}/available"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.prefix}/status"

    @property
    def commands(self) -> str:
        """The filter for all commands."""
        return f"{self.base}/+/+/set"

    @property
    def announced(self) -> str:
        """The filter for all that this hub has announced, in this run or before."""
        return f"{self.prefix}/+/{self.node}/+/config"

    def state(self, thing: str, name: str) -> str:
        """Return where a state is."""
        return f"{self.base}/{thing}/{name}"

    def command(self, thing: str, name: str) -> str:
        """Return where a command is awaited."""
        return f"{self.base}/{thing}/{name}/set"


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity.

    Attributes:
        component: What it is.
        thing: What it belongs to: "home", "event-<id>" or "device-<id>".
        name: Which of the thing's entities it is, a word for topics.
        title: What people read.
        state: Its state as payload; None where it has none (a button).
        told: Whether it takes commands.
        more: Further keys of its configuration.
        about: Id of the device that it is grouped with; empty for the home.
        attributes: Further facts for people, as a JSON object beside the state.
    """

    component: Component
    thing: str
    name: str
    title: str
    state: str | None
    told: bool = False
    more: Mapping[str, object] = field(default_factory=dict)
    about: str = ""
    attributes: Mapping[str, object] | None = None

    @property
    def id(self) -> str:
        """Its id within the hub."""
        return f"{self.thing}_{self.name}".replace("-", "_")

    def topic(self, places: Places) -> str:
        """Return where it is announced."""
        return f"{places.prefix}/{self.component}/{places.node}/{self.id}/config"

    def config(self, places: Places, device: Mapping[str, object]) -> str:
        """Return its configuration as JSON.

        Args:
            places: Where everything is.
            device: The device that it is grouped with, as Home Assistant wants it described.
        """
        found: dict[str, object] = {
            "name": self.title,
            "unique_id": f"{places.node}_{self.id}",
            "availability_topic": places.availability,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "device": device,
            "origin": {"name": "hems"},
            **self.more,
        }
        if self.state is not None:
            found["state_topic"] = places.state(self.thing, self.name)
        if self.told:
            found["command_topic"] = places.command(self.thing, self.name)
        if self.attributes is not None:
            found["json_attributes_topic"] = places.state(self.thing, f"{self.name}-facts")
        return json.dumps(found, sort_keys=True)

    def states(self, places: Places) -> Mapping[str, str]:
        """Return its state, and its facts, by topic."""
        found = {}
        if self.state is not None:
            found[places.state(self.thing, self.name)] = self.state
        if self.attributes is not None:
            facts = json.dumps(self.attributes, sort_keys=True)
            found[places.state(self.thing, f"{self.name}-facts")] = facts
        return found


def fit(text: str) -> bool:
    """Return whether a text can be a part of a topic and of an id as it stands."""
    return bool(text) and len(text) <= _LONGEST and not _UNFIT.search(text)
