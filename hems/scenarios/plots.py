"""A played scenario in pictures: power, limits, charge, temperatures, events and faults.

Matplotlib is loaded here only. One picture a scenario as PNG; the page draws the same with text
that can be searched, and needs nothing from elsewhere.
"""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from hems.scenarios.amounts import Course
from hems.scenarios.record import EXPORT_LIMIT, IMPORT_LIMIT, Played
from hems.scenarios.script import Script

_MOST_POINTS: Final = 2000
_COLOURS: Final = {
    Course.BASE: "#8a8f98",
    Course.HEAT_PUMP: "#c8553d",
    Course.WATER_HEATER: "#e09f3e",
    Course.CAR: "#6a4c93",
    Course.BATTERY: "#2a9d8f",
    Course.PV: "#e9c46a",
}
_NET: Final = "#1d3557"
_LIMIT: Final = "#d62828"
_EVENT: Final = "#457b9d"
_FAULT: Final = "#d62828"


def draw(script: Script, played: Played) -> Figure:
    """Return the picture of a scenario."""
    figure = Figure(figsize=(11, 9), layout="constrained")
    FigureCanvasAgg(figure)
    power, grid, charge, other = figure.subplots(
        4, 1, sharex=True, height_ratios=(3, 2.4, 1.4, 1.4)
    )
    step = max(1, len(played.courses.times) // _MOST_POINTS)
    times = [_wall(at) for at in played.courses.times[::step]]
    view = _View(played, times, step)
    _stack(power, view, script)
    _net(grid, view)
    _charges(charge, view, script)
    _others(other, view, script)
    for axes in (power, grid, charge, other):
        _bands(axes, script, played)
        axes.grid(visible=True, alpha=0.25)
        axes.margins(x=0)
    _names(power, script, played)
    locator = AutoDateLocator(tz=script.zone)  # type: ignore[no-untyped-call]
    other.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, tz=script.zone)  # type: ignore[no-untyped-call]
    other.xaxis.set_major_formatter(form)
    figure.suptitle(script.title)
    return figure


def write_png(figure: Figure, path: Path) -> None:
    """Write a picture as PNG."""
    figure.savefig(path, dpi=110, format="png")


def as_svg(figure: Figure) -> str:
    """Return a picture as an SVG element, to stand in a page."""
    text = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hems"}):
        figure.savefig(text, format="svg", metadata={"Date": None}, transparent=False)
    whole = text.getvalue()
    return whole[whole.index("<svg") :]


class _View:
    """The courses as they are drawn: every so many seconds."""

    def __init__(self, played: Played, times: Sequence[float], step: int) -> None:
        self._courses = played.courses
        self._step = step
        self.times = times

    def of(self, name: str, scale: float = 1.0) -> list[float]:
        return [value * scale for value in self._courses.of(name)[:: self._step]]


def _wall(at: float) -> float:
    """Return UTC epoch seconds as Matplotlib counts: days. The axis shows the home's time."""
    return at / 86400.0


def _stack(axes: Axes, view: _View, script: Script) -> None:
    has = script.house
    there = {
        Course.BASE: True,
        Course.HEAT_PUMP: has.heat_pump is not None,
        Course.WATER_HEATER: has.water_heater is not None,
        Course.CAR: has.car is not None,
        Course.BATTERY: has.battery is not None,
        Course.PV: has.pv is not None,
    }
    above = [0.0] * len(view.times)
    below = [0.0] * len(view.times)
    for course, colour in _COLOURS.items():
        if not there[course]:
            continue
        values = view.of(course.value, 1e-3)
        high = [low + max(value, 0.0) for low, value in zip(above, values, strict=True)]
        deep = [low + min(value, 0.0) for low, value in zip(below, values, strict=True)]
        label = course.value.replace("_", " ")
        axes.fill_between(view.times, above, high, color=colour, label=label, linewidth=0)
        axes.fill_between(view.times, below, deep, color=colour, linewidth=0)
        above, below = high, deep
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_ylabel("devices, kW")
    axes.legend(loc="upper left", ncols=6, fontsize="small")


def _net(axes: Axes, view: _View) -> None:
    axes.plot(view.times, view.of(Course.NET.value, 1e-3), color=_NET, linewidth=1, label="net")
    for name, sign, label in (
        (IMPORT_LIMIT, 1e-3, "import limit"),
        (EXPORT_LIMIT, -1e-3, "export limit"),
    ):
        limits = view.of(name, sign)
        if any(limit == limit for limit in limits):  # noqa: PLR0124 - NaN where there is none
            style = "--" if name == IMPORT_LIMIT else ":"
            axes.plot(view.times, limits, color=_LIMIT, linestyle=style, label=label)
    axes.set_ylabel("at the meter, kW")
    axes.legend(loc="upper left", ncols=3, fontsize="small")


def _charges(axes: Axes, view: _View, script: Script) -> None:
    if script.house.battery is not None:
        axes.plot(view.times, view.of(Course.CHARGE.value, 100), color="#2a9d8f", label="battery")
    if script.house.car is not None:
        axes.plot(view.times, view.of(Course.CAR_CHARGE.value, 100), color="#6a4c93", label="car")
    axes.set_ylim(0, 105)
    axes.set_ylabel("charge, %")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", ncols=2, fontsize="small")


def _others(axes: Axes, view: _View, script: Script) -> None:
    """Draw what a scenario turns on beside power: temperatures, else price, else the grid."""
    turned = {turn.kind for turn in script.happens}
    prices = view.of(Course.PRICE.value)
    if "frequency" in turned:
        axes.plot(view.times, view.of(Course.FREQUENCY.value), color=_NET)
        axes.set_ylabel("frequency, Hz")
    elif "voltage" in turned or not (script.house.water_heater or script.house.heat_pump):
        if any(price == price for price in prices):  # noqa: PLR0124 - NaN where none is known
            axes.step(view.times, prices, where="post", color=_NET)
            axes.set_ylabel("price per kWh")
        else:
            axes.plot(view.times, view.of(Course.VOLTAGE.value), color=_NET)
            axes.set_ylabel("voltage, V")
    else:
        axes.plot(view.times, view.of(Course.TANK.value), color="#e09f3e", label="tank")
        axes.plot(view.times, view.of(Course.ROOM.value), color="#c8553d", label="room")
        axes.set_ylabel("degC")
        axes.legend(loc="upper left", ncols=2, fontsize="small")


def _bands(axes: Axes, script: Script, played: Played) -> None:
    for told in played.events.values():
        ends = told.cancelled_at or told.ends_at
        begins, over = max(told.starts_at, script.begin), min(ends, script.end)
        axes.axvspan(_wall(begins), _wall(over), color=_EVENT, alpha=0.12, lw=0)
    for band in played.bands:
        over = min(band.ends, script.end)
        axes.axvspan(_wall(band.begins), _wall(over), color=_FAULT, alpha=0.08, lw=0)


def _names(axes: Axes, script: Script, played: Played) -> None:
    """Write what each band is, above the first picture."""
    marks = [(told.starts_at, told.name, _EVENT) for told in played.events.values()]
    marks += [(band.begins, band.what, _FAULT) for band in played.bands]
    for index, (at, name, colour) in enumerate(sorted(marks)):
        axes.annotate(
            name,
            (_wall(max(at, script.begin)), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(2, 3 + 9 * (index % 2)),
            textcoords="offset points",
            color=colour,
            fontsize="x-small",
        )
