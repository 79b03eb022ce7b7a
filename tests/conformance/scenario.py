"""What a scenario is: a test with an id, a group, a title, and the profiles that ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pytest


class Profile(StrEnum):
    """What a device may be tested for."""

    Y2018 = "2018"
    Y2023 = "2023"
    CSIP = "csip"
    CSIP_AUS = "csip-aus"

    @property
    def edition(self) -> str:
        """The hub's `edition` setting that speaks it."""
        return self.value


EVERY: Final = tuple(Profile)
AUS: Final = (Profile.CSIP_AUS,)
CSIP: Final = (Profile.CSIP, Profile.CSIP_AUS)
GROUPS: Final = {
    "COMM": "Communication: discovery and security",
    "CORE": "Core function sets",
    "BASIC": "Basic inverter and event functions",
    "AGG": "Aggregator operation",
    "MAINT": "Maintenance of the model",
    "ERR": "Error handling",
    "REG": "CSIP-AUS: registration and connection point",
    "MON": "CSIP-AUS: monitoring",
    "CTL": "CSIP-AUS: controls",
    "DER": "CSIP-AUS: what the devices do",
    "PRC": "CSIP-AUS: pricing",
    "STO": "CSIP-AUS: storage",
    "MUL": "CSIP-AUS: several devices",
    "DR": "Demand response and load control",
    "MSG": "Messaging",
    "FIELD": "Seen in the field",
}
"""Groups in the order of listing; the first six are those of the SunSpec procedures."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario.

    Attributes:
        id: As the public procedures number it; a letter behind it where one has several parts.
        group: Key of `GROUPS`.
        title: What is shown, in our own words.
        profiles: Which profiles ask for it.
    """

    id: str
    group: str
    title: str
    profiles: Sequence[Profile] = EVERY

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise ValueError(f"{self.id}: no group {self.group!r}")


def scenario(
    id_: str, group: str, title: str, profiles: Sequence[Profile] = EVERY
) -> pytest.MarkDecorator:
    """Mark a test, or a parameter set of one, as a scenario; see `Scenario`."""
    return pytest.mark.scenario(Scenario(id_, group, title, tuple(profiles)))


def of(item: pytest.Item) -> Scenario | None:
    """Return the scenario that a test shows; None if it is none."""
    mark = item.get_closest_marker("scenario")
    return None if mark is None else mark.args[0]
