"""What it takes to read and to write XML, beside py20305 and beside bare lxml.

All take turns on the same bodies in one process; the figures are medians of the turns, in
microseconds for each control, end device or reading in a body. Bare lxml is
`lxml.etree.fromstring`, which builds the tree and looks at nothing in it. py20305 reads and writes
with what its own client uses (`py20305.xml.serialization`). Before anything is timed, what py20305
has read and written again must be read here as the same record as the original.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from lxml import etree
from py20305.models.sep import sep
from py20305.xml.serialization import from_xml, to_xml

from hems.sep2.xml import parse, serialize
from tests.benchmarks.codec_documents import Document, documents
from tests.benchmarks.common import Figure, parser, report

SEED: Final = 2030
TOP: Final = "DERControlList of 100"
"""The body that the figures at the top level are of."""
LEAST_S: Final = 0.01
"""A turn that is shorter is done several times over, so that the clock can tell."""

THEIRS: Final[Mapping[str, type[object]]] = {
    "DERControlList": sep.DercontrolList,
    "EndDeviceList": sep.EndDeviceList,
    "MirrorMeterReading": sep.MirrorMeterReading,
}


class DifferentError(Exception):
    """The two sides do not read the same in a body."""


@dataclass(frozen=True, slots=True)
class Row:
    """Medians for one body, in microseconds per element."""

    document: Document
    parse_us: float
    write_us: float
    py20305_parse_us: float
    py20305_write_us: float
    lxml_parse_us: float

    def figures(self) -> dict[str, Figure]:
        """Return all of it under the keys of the last line."""
        return {
            "parse_us": round(self.parse_us, 2),
            "write_us": round(self.write_us, 2),
            "py20305_parse_us": round(self.py20305_parse_us, 1),
            "py20305_write_us": round(self.py20305_write_us, 1),
            "lxml_parse_us": round(self.lxml_parse_us, 2),
            "parse_ratio": round(self.py20305_parse_us / self.parse_us, 1),
            "write_ratio": round(self.py20305_write_us / self.write_us, 1),
            "times_lxml": round(self.parse_us / self.lxml_parse_us, 2),
            "octets": len(self.document.body),
        }


def measure(document: Document, turns: int) -> Row:
    """Let all take turns on one body."""
    body, expected = document.body, document.expected
    theirs = THEIRS[expected.__name__]
    record, model = parse(body, expected), from_xml(body, theirs)
    csipaus = b"csipaus:" in body
    if parse(to_xml(model, include_csipaus=csipaus), expected) != record:
        raise DifferentError(document.name)
    works: Sequence[Callable[[], object]] = (
        lambda: parse(body, expected),
        lambda: serialize(record),
        lambda: from_xml(body, theirs),
        lambda: to_xml(model, include_csipaus=csipaus),
        lambda: etree.fromstring(body),
    )
    repeats = [_repeats(work) for work in works]
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(turns):
        for work, count, times in zip(works, repeats, taken, strict=True):
            times.append(_seconds(work, count) / count)
    return Row(document, *(1e6 * median(times) / document.elements for times in taken))


def _repeats(work: Callable[[], object]) -> int:
    work()
    return max(1, round(LEAST_S / _seconds(work, 1)))


def _seconds(work: Callable[[], object], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - begin


def figures(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Measure everything."""
    rows = [measure(document, options.turns) for document in documents(SEED)]
    for row in rows:
        print(row.document.name, row.figures())
    (top,) = (row for row in rows if row.document.name == TOP)
    known = top.figures()
    return {
        "of": TOP,
        "parse_us_per_control": known["parse_us"],
        "write_us_per_control": known["write_us"],
        **{key: value for key, value in known.items() if key not in ("parse_us", "write_us")},
        "rows": {row.document.name: row.figures() for row in rows},
        "turns": options.turns,
    }


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--turns", type=int, default=15, help="how often each takes its turn")
    options = line.parse_args()
    report(
        "codec",
        figures(options),
        requirements=["PRO-2030.5"],
        headline=["parse_us_per_control", "write_us_per_control", "parse_ratio", "write_ratio"],
        record=options.record,
    )


if __name__ == "__main__":
    main()
