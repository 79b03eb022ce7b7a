"""What stands until its server says otherwise: default controls and curves, durable as events are.

A control or default control names its curves by href. A curve is kept as long as its programme
lists it or something that is kept names it, so that after a restart without the server the curve
of a running event is known.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.book.controls import default_of
from hems.sep2.book.curves import curve_of, named, unusable
from hems.sep2.book.ledger import EventRow
from hems.sep2.book.receipts import KEEP_S
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import Default, Program
from hems.sep2.rules.sanity import absurd
from hems.sep2.xml import parse, serialize

DEFAULT: Final = res.DefaultDERControl.__name__
CURVE: Final = res.DERCurve.__name__
STANDING: Final = frozenset({DEFAULT, CURVE})
"""Kinds of rows that are kept here."""

HELD_PHASE: Final = "default"
WITHDRAWN_PHASE: Final = "cancelled"


@dataclass(frozen=True, slots=True)
class _Default:
    control: res.DefaultDERControl
    default: Default


@dataclass(frozen=True, slots=True)
class _Curve:
    resource: res.DERCurve
    program: Program
    curve: Curve | str
    listed: bool
    at: float


class Standing:
    """The default controls and curves of one server.

    Args:
        server: Name of the server, the ledger's key.
        lfdi: LFDI of the device that they are for.
        keep: Takes what the ledger is to have.
        alarm: Told in one sentence what somebody should know.
    """

    def __init__(
        self,
        server: str,
        lfdi: str,
        keep: Callable[[EventRow], None],
        alarm: Callable[[str], None],
    ) -> None:
        self._server = server
        self._lfdi = lfdi
        self._keep = keep
        self._alarm = alarm
        self._defaults: dict[str, _Default] = {}
        self._curves: dict[str, _Curve] = {}

    @property
    def defaults(self) -> Sequence[Default]:
        """The default controls of all programmes, without modes that nobody could obey."""
        return [self._usable(d.default) for d in self._defaults.values()]

    @property
    def curves(self) -> Mapping[str, Curve | str]:
        """The curves by href; in place of one that cannot be used, why."""
        return {href: known.curve for href, known in self._curves.items()}

    def _usable(self, default: Default) -> Default:
        wrong = self._wrong(default)
        if not wrong:
            return default
        return replace(default, modes={m: v for m, v in default.modes.items() if m not in wrong})

    def _wrong(self, default: Default) -> dict[str, str]:
        """Return why modes cannot be obeyed, by mode: a bad curve, or a figure that cannot be."""
        return unusable(default.modes, default.modes, self.curves) | absurd(default.modes)

    def recall(self, row: EventRow, now: float) -> None:
        """Take up what the ledger kept.

        Raises:
            MalformedError: Its body cannot be read.
        """
        if row.phase != HELD_PHASE:
            return
        program = Program(row.program, row.program_name, row.primacy)
        if row.kind == DEFAULT:
            control = parse(row.body, res.DefaultDERControl)
            self._defaults[row.program] = _Default(control, default_of(control, program))
        else:
            resource = parse(row.body, res.DERCurve)
            self._curves[row.mrid] = _Curve(
                resource, program, _read(resource, row.mrid), listed=False, at=now
            )

    def set_default(self, program: Program, control: res.DefaultDERControl | None) -> None:
        """Take in a programme's default control; None if it has none any more."""
        known = self._defaults.get(program.mrid)
        if control is None:
            self._withdraw(program.mrid)
        elif known is None or known.control != control or known.default.program != program:
            if known is not None and known.default.mrid != control.mrid.upper():
                self._withdraw(program.mrid)
            default = default_of(control, program)
            self._defaults[program.mrid] = _Default(control, default)
            self._keep(self._row(DEFAULT, default.mrid, program, control))
            for sentence in self._wrong(default).values():
                self._alarm(f"the default control of {program.name or program.mrid}: {sentence}")

    def _withdraw(self, program: str) -> None:
        known = self._defaults.pop(program, None)
        if known is not None:
            default = known.default
            self._keep(
                self._row(DEFAULT, default.mrid, default.program, known.control, WITHDRAWN_PHASE)
            )

    def set_curves(
        self, program: Program, resources: Sequence[res.DERCurve], now: float, *, complete: bool
    ) -> None:
        """Take in curves of a programme.

        Args:
            program: Whose they are.
            resources: As read, each with its href.
            now: Server's clock.
            complete: Whether it is the programme's whole list.
        """
        if complete:
            seen = {r.href for r in resources}
            self._unlist(lambda href, c: c.program.mrid == program.mrid and href not in seen)
        for resource in resources:
            href = resource.href
            if href is None:
                self._alarm(f"a curve of {program.name or program.mrid} has no href")
                continue
            before = self._curves.get(href)
            listed = complete or (before is not None and before.listed)
            after = _Curve(resource, program, _read(resource, href), listed, now)
            self._curves[href] = after
            if before is None or before.resource != resource:
                self._keep(self._row(CURVE, href, program, resource))
                if isinstance(after.curve, str):
                    self._alarm(f"{program.name or program.mrid}: {after.curve}")

    def drop(self, programs: Collection[str]) -> None:
        """Let go of what belongs to other programmes than these."""
        for program in set(self._defaults) - set(programs):
            self._withdraw(program)
        self._unlist(lambda _, c: c.program.mrid not in programs)

    def _unlist(self, chosen: Callable[[str, _Curve], bool]) -> None:
        gone = [href for href, c in self._curves.items() if c.listed and chosen(href, c)]
        for href in gone:
            self._curves[href] = replace(self._curves[href], listed=False)

    def forget(self, hrefs: Collection[str], now: float) -> None:
        """Let go of curves that no list has any more, after a while in which nothing named them.

        Args:
            hrefs: What events that still count name.
            now: Server's clock.
        """
        if not any(not c.listed for c in self._curves.values()):
            return
        kept = set(hrefs)
        for each in self._defaults.values():
            kept.update(named(each.default.modes).values())
        gone = {
            href: c
            for href, c in self._curves.items()
            if not c.listed and href not in kept and c.at < now - KEEP_S
        }
        for href, known in gone.items():
            del self._curves[href]
            self._keep(self._row(CURVE, href, known.program, known.resource, WITHDRAWN_PHASE))

    def _row(
        self,
        kind: str,
        mrid: str,
        program: Program,
        resource: res.DefaultDERControl | res.DERCurve,
        phase: str = HELD_PHASE,
    ) -> EventRow:
        return EventRow(
            mrid=mrid,
            server=self._server,
            kind=kind,
            program=program.mrid,
            program_name=program.name,
            primacy=program.primacy,
            mandatory=True,
            body=serialize(resource),
            draw_start_s=0,
            draw_duration_s=0,
            draw_cancel_s=0,
            phase=phase,
            lfdi=self._lfdi,
        )


def _read(resource: res.DERCurve, href: str) -> Curve | str:
    try:
        return curve_of(resource, href)
    except ValueError as error:
        return str(error)
