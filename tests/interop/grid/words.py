"""Resources as this utility words them: controls, defaults, links, lists."""

import itertools
import time
from collections.abc import Mapping
from typing import Final, TypeAlias

from tests.interop.grid.markup import Element, copied, el

Setting: TypeAlias = float | bool | Element
"""What a control mode is set to: W, hundredths of a per cent, a switch, or as it is written."""
Modes: TypeAlias = Mapping[str, Setting]

LIMITS: Final = ("opModImpLimW", "opModExpLimW", "opModGenLimW", "opModLoadLimW")
SCHEDULED, ACTIVE, CANCELLED, CANCELLED_RANDOM, SUPERSEDED, COMPLETED = range(6)
ALL_ANSWERS: Final = "07"

_numbers = itertools.count(int(time.time()) << 20)


def new_mrid() -> str:
    """Return an mRID, greater than all before it."""
    return f"{next(_numbers):024X}0000BEEF"


def power(name: str, watts: float, multiplier: int = 0) -> Element:
    """Return a power; rounded down to what a 16-bit value carries."""
    value = int(watts / 10**multiplier)
    while abs(value) >= 2**15:
        value, multiplier = value // 10, multiplier + 1
    return el(name, el("multiplier", multiplier), el("value", value))


def base(modes: Modes) -> Element:
    """Return a DERControlBase of modes; limits of CSIP-AUS in W, `rampTms` in hundredths of s."""
    made = []
    for name, value in modes.items():
        if isinstance(value, Element):
            made.append(copied(value))
        elif isinstance(value, bool):
            made.append(el(name, str(value).lower()))
        elif name in LIMITS:
            made.append(power(f"aus:{name}", value))
        elif name == "opModStorageTargetW":
            made.append(power(f"sto:{name}", value))
        elif name.endswith(("LimWAbsorb", "LimWInject", "TargetW")):
            made.append(power(name, value))
        else:
            made.append(el(name, int(value)))
    ramps = [e for e in made if e.tag.endswith("rampTms")]
    own = [e for e in made if "csipaus" not in e.tag and e not in ramps]
    return el("DERControlBase", *own, *ramps, *(e for e in made if "csipaus" in e.tag))


def status(current: int, at: float, superseded_at: float | None = None) -> Element:
    """Return an EventStatus."""
    return el(
        "EventStatus",
        el("currentStatus", current),
        el("dateTime", int(at)),
        el("potentiallySuperseded", str(superseded_at is not None).lower()),
        None if superseded_at is None else el("potentiallySupersededTime", int(superseded_at)),
    )


def interval(start: float, duration_s: int) -> Element:
    """Return an interval."""
    return el("interval", el("duration", duration_s), el("start", int(start)))


def default_control(href: str, mrid: str, modes: Modes, *, grad_w: int | None = None) -> Element:
    """Return a DefaultDERControl; `grad_w` in hundredths of a per cent of the rating a second."""
    return el(
        "DefaultDERControl",
        el("mRID", mrid),
        el("description", "fallback"),
        base(modes),
        None if grad_w is None else el("setGradW", grad_w),
        href=href,
    )


def link(name: str, href: str, count: int | None = None) -> Element:
    """Return a link; a list's with its length."""
    return el(name, href=href) if count is None else el(name, href=href, all=count)


def text_of(element: Element, path: str) -> str | None:
    """Return the text at a path of local names ("a/b"); None if there is none."""
    found = element.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    return None if found is None else found.text


def number_of(element: Element, path: str) -> int | None:
    """Return the whole number at a path of local names; None if there is none."""
    text = text_of(element, path)
    return None if text is None else int(text)


def amount_of(element: Element, path: str) -> float | None:
    """Return value times ten to the multiplier at a path of local names."""
    value, multiplier = (
        number_of(element, f"{path}/value"),
        number_of(element, f"{path}/multiplier"),
    )
    return None if value is None else value * 10.0 ** (multiplier or 0)
