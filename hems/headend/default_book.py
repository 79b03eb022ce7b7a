"""What holds while no event does: default controls as configured, or as the operator set them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hems.headend.asks import check_ramp, check_values
from hems.headend.curve_book import CurveBook
from hems.headend.db.held import Changed
from hems.headend.dispatch import Order
from hems.headend.errors import DispatchError, UnknownItemError
from hems.headend.modes import MODES_OF, Mode, ProgramKind
from hems.headend.programmes import Programmes
from hems.headend.records import Default, Program
from hems.headend.shelf import Owned, Shelf

_MOST_GRADIENT = 655.35


class DefaultBook:
    """Default controls by programme. `Store.load` reads them.

    Args:
        shelf: Where those are kept that the operator set, by their programme's mRID.
        programmes: The programmes; those before these, for defaults name them.
        curves: Curves that they may name.

    Attributes:
        on_change: Called with a programme whose default has just changed.
    """

    def __init__(self, shelf: Shelf[Default], programmes: Programmes, curves: CurveBook) -> None:
        self._shelf = shelf
        self._programmes = programmes
        self._curves = curves
        self._defaults: dict[int, Default] = {}
        self.on_change: Callable[[Program], None] = _nobody
        shelf.follow(self._take)

    def of(self, program: int) -> Default:
        """Return what holds in a der programme while no event does."""
        known = self._defaults.get(program)
        return Default(dict(self._programmes.defaults(program))) if known is None else known

    @property
    def curves(self) -> frozenset[str]:
        """MRIDs of the curves that default controls name."""
        values = (v for each in self._defaults.values() for v in each.values.values())
        return frozenset(value for value in values if isinstance(value, str))

    def program(self, name: str) -> Program:
        """Return a der programme by name or mRID.

        Raises:
            UnknownItemError: There is none.
        """
        wanted = name.casefold()
        programs = [p for p in self._programmes.known if p.kind is ProgramKind.DER]
        for program in programs:
            named = program.group is None and wanted == program.name.casefold()
            if named or wanted == program.mrid.casefold():
                return program
        known = ", ".join(program.name for program in programs if program.group is None)
        raise UnknownItemError(f"no der programme {name[:40]!r}; there are: {known}")

    async def set(self, name: str, order: Order, set_grad_w: float | None) -> Default:
        """Set a programme's default control, all of it.

        Args:
            name: Name or mRID of the programme.
            order: What holds; only its values, curves, ramp and `raw` count.
            set_grad_w: Default rate of change, per cent of setMaxW a second.

        Raises:
            UnknownItemError: There is no such programme.
            DispatchError: It makes no sense.
            BusyError: The database cannot take it; nothing changed.
        """
        program = self.program(name)
        _check_modes(order.modes)
        if set_grad_w is not None and not 0 <= set_grad_w <= _MOST_GRADIENT:
            raise DispatchError(f"set_grad_w {set_grad_w:g} is outside 0 to {_MOST_GRADIENT}")
        check_ramp(order.ramp_s)
        async with self._shelf.database.changing():
            resolved = await self._curves.resolve(replace(order, program=program.mrid))
            check_values(resolved.values, raw=order.raw)
            default = Default(dict(resolved.values), order.ramp_s, set_grad_w)
            await self._shelf.put((program.mrid, program.mrid, default))
        return default

    def _take(self, changes: Sequence[Changed[Owned[Default]]]) -> None:
        """Put what the operator has set before what is configured."""
        for each in changes:
            program = self._programmes.of_mrid(each.key)
            if program is not None and each.after is not None:
                self._defaults[program.index] = each.after.item
                self.on_change(program)


def _check_modes(modes: frozenset[Mode]) -> None:
    strange = modes - MODES_OF[ProgramKind.DER]
    if strange:
        names = ", ".join(sorted(mode.value for mode in strange))
        raise DispatchError(f"a default control cannot ask {names}")


def _nobody(_program: Program) -> None:
    """Stand in until someone listens."""
