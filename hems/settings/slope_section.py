"""How fast the home's net power may change, in the configuration."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from hems import units
from hems.settings.section import Section

_SLOPE: Final = re.compile(r"(.+)/\s*min\s*")


def _slope(text: object) -> float:
    match = _SLOPE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a slope of power; write it like '1 kW/min'")
    return units.power_w(match[1])


Slope = Annotated[float, BeforeValidator(_slope), Field(ge=100, le=1e6)]
"""A change of power in W a minute: no less than set-points of whole watts can follow."""


class SlopeSection(Section):
    """Bounds on the slope of the net power."""

    bound: Slope | None = None
    """At all times; none unless stated."""
    agreed: bool = False
    """Whether that is the connection agreement's, and so stronger than wishes about a battery."""
    after_events: Slope | None = None
    """For a quarter of an hour after an event."""
