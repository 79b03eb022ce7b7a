"""Select before operate: a point is announced with its value, then executed; pure."""

from dataclasses import dataclass

from hems.headend.telecontrol.points import Place


@dataclass(frozen=True, slots=True)
class _Selected:
    value: float
    until: float


class Selects:
    """What one connection has selected, each for a while and for one execution.

    Args:
        lasts_s: How long.
    """

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._selected: dict[Place, _Selected] = {}

    def select(self, place: Place, value: float, now: float) -> None:
        """Take a selection; it takes the place of an earlier one of this point."""
        self._selected[place] = _Selected(value, now + self._lasts_s)

    def cancel(self, place: Place, now: float) -> bool:
        """Let go of a selection; returns whether there was one."""
        found = self._selected.pop(place, None)
        return found is not None and now < found.until

    def use(self, place: Place, value: float, now: float) -> str | None:
        """Use a selection up; returns why there is none that fits, None where there is."""
        found = self._selected.pop(place, None)
        if found is None:
            return "it was not selected"
        if now >= found.until:
            return f"it was selected more than {self._lasts_s:g} s ago"
        return None if found.value == value else f"it was selected with {found.value:g}"

    def clear(self) -> None:
        """Let go of all."""
        self._selected.clear()
