"""Finding the models of a SunSpec device: the base of its map, and the chain of its models.

Devices get this wrong in known ways: they refuse the bases that they do not have, a model's
length is a few registers off, the list ends without its end marker. All of these are lived with
where the definitions tell what was meant.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from der.drivers.modbus.connection import ModbusConnection
from der.drivers.sunspec.model import HEADER_SIZE, is_defined, load_model
from der.errors import PermanentError, RefusalError, StrangerError, TransientError

_log = logging.getLogger(__name__)

BASES: Final = (40000, 50000, 0)
"""Where a SunSpec map may begin (SunSpec device information model specification, 6.2)."""

_MARKER: Final = (0x5375, 0x6E53)  # "SunS"
_END: Final = 0xFFFF
_FIRST_VENDOR_MODEL: Final = 60000
_MOST_MODELS: Final = 100
_ADDRESSES: Final = 65536


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in a device's list.

    Attributes:
        model_id: Its number.
        address: Register of its id.
        size: Registers it has, header included.
    """

    model_id: int
    address: int
    size: int


_Header = tuple[int, int]


class _Trust(IntEnum):
    """How far a list of models can be believed, from some model on."""

    NONE = 0
    """It leads nowhere, or over the end of the map."""
    ENDS = 1
    """It leads to the end marker, over models that are not defined here."""
    FULL = 2
    """It leads to the end marker, over models that there are."""


async def find_models(bus: ModbusConnection) -> Sequence[Entry]:
    """Return a device's models in their order, also those that are not defined here.

    Raises:
        PermanentError: Not a SunSpec device, or its list of models makes no sense.
        TransientError: No usable answer.
    """
    return await _Scan(bus).run()


async def _find_base(bus: ModbusConnection) -> int:
    busy: TransientError | None = None
    for base in BASES:
        try:
            marker = await bus.read_holding(base, len(_MARKER), "SunSpec marker")
        except RefusalError:
            continue  # many devices refuse addresses outside their map; the next base may do
        except TransientError as error:
            if bus.ended is not None:
                raise
            busy = error  # some refuse them so; but a device may be busy in truth
            continue
        if marker == _MARKER:
            return base
    if busy is not None:
        raise busy
    raise StrangerError(f"{bus.device}: no SunSpec map at {bus.address} (no 'SunS' marker)")


class _Scan:
    """One walk over a device's list; each header is read once."""

    def __init__(self, bus: ModbusConnection) -> None:
        self._bus = bus
        self._headers: dict[int, _Header | None] = {}

    async def run(self) -> Sequence[Entry]:
        """Return the models."""
        address = await _find_base(self._bus) + len(_MARKER)
        entries: list[Entry] = []
        while True:
            header = await self._header(address)
            if header is None or header[0] in {0, _END}:
                break
            if len(entries) == _MOST_MODELS:
                raise PermanentError(
                    f"{self._bus.device}: the SunSpec model list at {self._bus.address} "
                    f"does not end"
                )
            length = await self._length(address, header)
            entries.append(Entry(header[0], address, HEADER_SIZE + length))
            address += HEADER_SIZE + length
        if not entries:
            raise PermanentError(
                f"{self._bus.device}: the SunSpec map at {self._bus.address} has no models"
            )
        return entries

    async def _length(self, address: int, header: _Header) -> int:
        """Return how long a model is: as it says, unless another length leads further."""
        model_id, said = header
        trust = await self._trust(address + HEADER_SIZE + said)
        if trust is _Trust.FULL:
            return said
        best = said
        follows = await self._header(address + HEADER_SIZE + said)
        doubtful = follows is None or not _is_model(follows)
        for length in self._others(model_id, said, doubtful=doubtful):
            found = await self._trust(address + HEADER_SIZE + length)
            if found > trust:
                best, trust = length, found
        if best != said:
            _log.warning(
                "%s: SunSpec model %d at register %d says %d registers and has %d",
                self._bus.device, model_id, address, said, best,
            )  # fmt: skip
        return best

    @staticmethod
    def _others(model_id: int, said: int, *, doubtful: bool) -> list[int]:
        """Return lengths that may have been meant."""
        others = [said - 1, said + 1] if doubtful else []
        if is_defined(model_id) and not load_model(model_id).repeats:
            others.insert(0, load_model(model_id).end - HEADER_SIZE)
        return [length for length in others if length >= 0 and length != said]

    async def _trust(self, address: int) -> _Trust:
        """Follow the list from an address on."""
        trust = _Trust.FULL
        for _ in range(_MOST_MODELS):
            header = await self._header(address)
            if header is None or header[0] == 0:
                return _Trust.NONE
            if header[0] == _END:
                # Twice "not implemented" looks like an end; the true one has the length 0.
                return trust if header[1] == 0 else _Trust.NONE
            if not _is_model(header):
                trust = _Trust.ENDS
            address += HEADER_SIZE + header[1]
        return _Trust.NONE

    async def _header(self, address: int) -> _Header | None:
        """Return id and length at an address; None where the device has no such registers."""
        if address not in self._headers:
            self._headers[address] = await self._read(address)
        return self._headers[address]

    async def _read(self, address: int) -> _Header | None:
        if address + HEADER_SIZE > _ADDRESSES:
            return None
        try:
            model_id, length = await self._bus.read_holding(
                address, HEADER_SIZE, "SunSpec model header"
            )
        except RefusalError:
            return None
        return model_id, length


def _is_model(header: _Header) -> bool:
    return is_defined(header[0]) or _FIRST_VENDOR_MODEL <= header[0] < _END
