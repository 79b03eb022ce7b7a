"""Names of resources: what our head-end's paths are called by the scripted utility."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.interop.grid.record import Exchange
from tests.interop.grid.tree import ANSWERS, CAPABILITY, CLOCK, DEVICES, MIRROR
from tests.interop.ours.unfit import UnfitError

_NAME_OCTETS = 28


@dataclass(frozen=True, slots=True)
class Slot:
    """A programme of the configuration.

    Attributes:
        key: Its href at the scripted utility.
        name: Its description.
        primacy: Lower wins.
        kind: "der" or "drlc".
    """

    key: str
    name: str
    primacy: int
    kind: str

    def named(self, number: int) -> str:
        """Return a name that no other programme has."""
        return f"{self.name[:_NAME_OCTETS]} {number}"


_OF_HOME: Final = {
    "": "",
    "/rg": "/pin",
    "/fsa": "/groups",
    "/fsa/1": "/groups/1",
    "/der": "/units",
    "/der/1": "/units/1",
    "/der/1/dercap": "/units/1/ratings",
    "/der/1/derg": "/units/1/setup",
    "/der/1/ders": "/units/1/state",
    "/der/1/dera": "/units/1/offer",
    "/lel": "/journal",
    "/sub": "/watchers",
    "/cp": "/cp",
}
_FIXED: Final = {
    "/dcap": CAPABILITY,
    "/tm": CLOCK,
    "/edev": DEVICES,
    "/mup": MIRROR,
    "/rsps/1/r": ANSWERS,
}
_PARTS: Final = {"": "", "/derc": "/events", "/dderc": "/fallback"}


class Names:
    """Both utilities' names of things.

    Args:
        home: Where the home's EndDevice is at the scripted utility.

    Attributes:
        slots: The programmes, in the order of the configuration.
    """

    def __init__(self, home: str) -> None:
        self._home = home
        self.slots: list[Slot] = []

    def take(self, wanted: Sequence[Slot]) -> None:
        """Have these programmes; each keeps its place.

        Raises:
            UnfitError: One is taken away that others stand behind.
        """
        keys = {slot.key: slot for slot in wanted}
        known = {slot.key for slot in self.slots}
        if known - keys.keys() and keys.keys() - known:
            raise UnfitError("server: a home's groups go by its site, not by assignments")
        while self.slots and self.slots[-1].key not in keys:
            self.slots.pop()
        if any(slot.key not in keys for slot in self.slots):
            raise UnfitError("server: the programmes of its configuration are assigned for good")
        self.slots = [keys.get(slot.key, slot) for slot in self.slots]
        self.slots += [slot for slot in wanted if slot.key not in known]

    def knows(self, key: str) -> bool:
        """Whether a programme is configured."""
        return any(slot.key == key for slot in self.slots)

    def name(self, key: str) -> str:
        """Return the configured name of a programme."""
        for number, slot in enumerate(self.slots, start=1):
            if slot.key == key:
                return slot.named(number)
        raise KeyError(key)

    def translated(self, exchange: Exchange) -> Exchange:
        """Return an exchange in the paths of the scripted utility."""
        path, mark, query = exchange.target.partition("?")
        return replace(exchange, target=self.path(path) + mark + query)

    def path(self, path: str) -> str:
        """Return what the scripted utility calls a path; the path itself if it has none."""
        if path in _FIXED:
            return _FIXED[path]
        if path == "/derp":
            return f"{self._home}/groups/1/programs"
        rules: tuple[tuple[str, Callable[[re.Match[str]], str | None]], ...] = (
            (r"/edev/\d+(/.*)?", self._of_home),
            (r"/derp/(\d+)(/\w+)?", self._of_programme),
            (r"/mup/(\w+)", lambda m: f"{MIRROR}/{m[1]}"),
        )
        for pattern, rule in rules:
            match = re.fullmatch(pattern, path)
            named = None if match is None else rule(match)
            if named is not None:
                return named
        return path

    def _of_home(self, match: re.Match[str]) -> str | None:
        rest = _OF_HOME.get(match[1] or "")
        return None if rest is None else self._home + rest

    def _of_programme(self, match: re.Match[str]) -> str | None:
        number, rest = int(match[1]), _PARTS.get(match[2] or "")
        if rest is None or not 1 <= number <= len(self.slots):
            return None
        return self.slots[number - 1].key + rest
