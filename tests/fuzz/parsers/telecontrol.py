"""Telecontrol: what a control centre sends, in frames, through the rules of a link; the table.

An input is a first octet that says which of them it is, and the rest as it came.
"""

import random
import struct
import tempfile
from pathlib import Path
from typing import Final

from hems.headend.errors import SettingsError
from hems.headend.telecontrol import asdu
from hems.headend.telecontrol.errors import AsduError, TelecontrolError
from hems.headend.telecontrol.frames import Frame, Framer, Numbered, encode
from hems.headend.telecontrol.link import Link, Pace
from hems.headend.telecontrol.mapping import judge_file, told_of
from tests.fuzz.parsers.parser import LONGEST_SENTENCE, Parser, WrongError, attempt, changed, same

_LINE: Final = 0
_UNIT: Final = 1
_TABLE: Final = 2
_KINDS: Final = 3
_START: Final = bytes.fromhex("680407000000")
_HEAD: Final = (
    "common,address,type,carries,group,scale,dead_band,minutes,amount,direct,value,ends\n"
)


def examine(data: bytes) -> str:
    """Read a connection, a data unit or a table."""
    kind, rest = (data[0], data[1:]) if data else (0, b"")
    match kind % _KINDS:
        case 0:
            return _line(rest)
        case 1:
            return _unit(rest)
        case _:
            return _table(rest)


def _line(octets: bytes) -> str:
    link, units = Link(Pace(), 0.0), list[bytes]()

    def read() -> int:
        frames = list[Frame]()
        for frame in Framer().feed(octets):
            frames.append(frame)
            link.receive(frame, 0.0)
            if isinstance(frame, Numbered):
                units.append(frame.asdu)
        written = b"".join(encode(frame) for frame in frames)
        same(octets.startswith(written), other=True, what="frames written anew")
        return len(frames)

    count, words = attempt(read, TelecontrolError)
    told = " ".join(_unit(unit) for unit in units[:2])
    return f"{count} {words} {told}"


def _unit(octets: bytes) -> str:
    unit, words = attempt(lambda: asdu.decode(octets), AsduError)
    if unit is None:
        return words
    if unit.objects:
        # Not all octets mean something; what does comes back, numbers that are none included.
        again = asdu.decode(asdu.encode(unit)) if _timed(unit) else unit
        same(str(again), str(unit), "a data unit written anew")
    no = asdu.decode(asdu.answered(octets, asdu.Cause.UNKNOWN_TYPE, negative=True))
    same((no.type, no.common, no.negative), (unit.type, unit.common, True), "its answer")
    return f"{unit.type} {words}"


def _timed(unit: asdu.Asdu) -> bool:
    """Return whether all times in it are valid ones, which alone can be written."""
    return all(getattr(each, "at", 0.0) is not None for _, each in unit.objects) or unit.type in {
        asdu.Type.M_SP_NA_1,
        asdu.Type.M_ME_NC_1,
    }


def _table(octets: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "points.csv")
        path.write_bytes(octets)
        judged, words = attempt(lambda: judge_file(path), SettingsError)
        if judged is None:
            return words.replace(folder, "")
        said = [told_of(Path("points.csv"), each) for each in judged.problems]
    for each in said:
        if len(each) > LONGEST_SENTENCE or not each.isprintable():
            raise WrongError(f"{each[:200]!r} cannot be shown")
    rows = len(judged.table.seen) + len(judged.table.commanded)
    return f"{rows} rows, {len(said)} mistakes"


def _numbered(send: int, unit: bytes) -> bytes:
    return encode(Numbered(send, 0, unit))


def seeds() -> list[bytes]:
    """Return some of each kind."""
    units = [
        struct.pack("<BBBBH", 100, 1, 6, 0, 1) + b"\0\0\0\x14",
        struct.pack("<BBBBH", 50, 1, 6, 0, 1) + b"\x01\0\0" + struct.pack("<fB", 2.5, 0x80),
        struct.pack("<BBBBH", 45, 1, 6, 0, 1) + b"\x02\0\0\x81",
        struct.pack("<BBBBH", 102, 1, 5, 0, 1) + b"\x03\0\0",
        struct.pack("<BBBBH", 103, 1, 6, 0, 65535) + b"\0\0\0" + bytes.fromhex("88130a0c6f071a"),
        struct.pack("<BBBBH", 200, 1, 6, 0, 1) + b"\0\0\0\0",
    ]
    line = _START + b"".join(_numbered(n, unit) for n, unit in enumerate(units))
    stopped = line + bytes.fromhex("680413000000") + bytes.fromhex("680401000000")
    tables = [
        _HEAD + "1,1,M_ME_TF_1,homes,tx,1,2,,,,,\n1,2,M_SP_TB_1,event_running,,,,,,,,\n",
        _HEAD + "1,3,C_SE_NC_1,shed_w,,1000,,15,all,yes,,\n1,4,C_SC_NA_1,end,,,,,,,,3\n",
    ]
    rows = [
        (_LINE, [_START, line, stopped]),
        (_UNIT, units),
        (_TABLE, [t.encode() for t in tables]),
    ]
    return [bytes((kind,)) + each for kind, found in rows for each in found]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return an input of the same kind, changed."""
    return data[:1] + changed(data[1:], rng, WORDS)


WORDS: Final = (_START, b"\x68\x04\x43\0\0\0", b"\x68\x04\x01\0\0\0", b"M_ME_TF_1", b",", b"nan")
PARSER: Final = Parser(examine, seeds, WORDS, mutated)
