"""Reading what is spread over a Modbus device in few frames.

Shared by all Modbus drivers. It stands beside the connection because the limit of a frame is the
protocol's; which spans are wanted is the drivers' affair.
"""

from collections.abc import Iterable

from der.drivers.modbus.connection import MAX_REGISTERS


def plan_frames(
    spans: Iterable[tuple[int, int]], most: int = MAX_REGISTERS, gap: int | None = None
) -> list[tuple[int, int]]:
    """Cover spans with few reads.

    Args:
        spans: (first address, count) of what is wanted, each at least 1 register or bit.
        most: Most that one read may ask for.
        gap: Most between two spans that may be read for nothing; None for any number. Devices
            that refuse addresses which they do not have need 0.

    Returns:
        (first address, count) of each read in ascending order. Near spans share a read, and what
        lies between them is read too; a span over the limit of one frame stays whole.
    """
    frames: list[tuple[int, int]] = []
    for start, count in sorted(spans):
        if frames:
            first, length = frames[-1]
            joined = max(first + length, start + count) - first
            near = gap is None or start - (first + length) <= gap
            if near and joined <= max(most, length):
                frames[-1] = (first, joined)
                continue
        frames.append((start, count))
    return frames
