"""What the fuzzer of the customer port begins with, and how it changes telegrams as telegrams."""

import random

from der.sim.p1 import crc16
from tests.der.drivers.p1_telegrams import (
    BELGIAN,
    DSMR4,
    DSMR5,
    DSMR22,
    LUXEMBOURGISH,
    SWEDISH,
    made,
)

_VALUES = (
    b"NaN", b"-1", b"1E400", b"", b"00.000", b"99999999999", b"0.5.5", b"Infinity", b"--", b"*",
    b"(", b")", b"\r\n", b"\xff",
)  # fmt: skip
_UNITS = (b"kW", b"W", b"kWh", b"MW", b"V", b"kvar", b"", b"m3")


def seeds() -> list[bytes]:
    """Return whole inputs: telegrams of all kinds, in pieces of several sizes."""
    telegrams = (DSMR22, DSMR4, DSMR5, BELGIAN, LUXEMBOURGISH, SWEDISH, made())
    pieces = (0, 63, 255)
    return [
        bytes([pieces[i % 3]]) + b"\r\n".join((a, b))
        for i, a in enumerate(telegrams)
        for b in telegrams
    ]


def words() -> list[str]:
    """Return what telegrams are made of."""
    lines = (line for seed in seeds() for line in seed.split(b"\r\n") if b"(" in line)
    return sorted({line.split(b"(")[0].decode("ascii") for line in lines if line[:1].isdigit()})


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return an input in which lines are changed, doubled, dropped or swapped; sealed anew."""
    head, lines = data[:1], data[1:].split(b"\r\n")
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 1 if len(lines) > 1:
                del lines[at]
            case 2:
                value = rng.choice(_VALUES) + b"*" + rng.choice(_UNITS)
                lines[at] = lines[at].split(b"(")[0] + b"(" + value + b")"
            case 3:
                lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
            case _:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
    return head + (sealed_anew(lines) if rng.randrange(4) else b"\r\n".join(lines))


def sealed_anew(lines: list[bytes]) -> bytes:
    """Return lines in which each telegram's checksum is right."""
    whole, begin = b"", 0
    for line in lines:
        if line.startswith(b"/"):
            begin = len(whole)
        if line.startswith(b"!") and len(line) > 1:
            line = b"!%04X" % crc16(whole[begin:] + b"!")  # noqa: PLW2901 - sealed
        whole += line + b"\r\n"
    return whole
