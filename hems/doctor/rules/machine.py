"""The machine: time, disk, memory, versions, ports, files. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from hems.doctor.facts import Clock, Disk, File, Listened, Memory, Version
from hems.doctor.finding import Finding, attention, ok, trouble

RTC_OFF_S: Final = 120.0
_MB: Final = 1e6
_GB: Final = 1e9
FULL: Final = 20 * _MB
NEARLY_FULL: Final = 200 * _MB
FEW_INODES: Final = 0.01
HEAVY_WRITES: Final = 20 * _GB
"""An SD card of 32 GB stands a few thousand times its size, if its day's writing is less."""
LITTLE_MEMORY: Final = 64 * _MB
TOO_OLD: Final[Mapping[str, tuple[tuple[int, ...], str]]] = {
    "Python": ((3, 11), "install Python 3.11 or later, and the package anew"),
    "OpenSSL": ((3, 0), "upgrade the system: OpenSSL before 3.0 gets no corrections any more"),
    "SQLite": ((3, 35), "upgrade the package: the store's statements need SQLite 3.35"),
    "SQLCipher": ((4, 5), "upgrade the package: the store's file is of SQLCipher 4"),
    "kernel": ((5, 10), "upgrade the system: kernels before 5.10 get no corrections any more"),
}
"""Before which version a part is too old, and what to do then."""


def of_clock(clock: Clock) -> Iterator[Finding]:
    """Judge the machine's time; that beside a utility's is judged with the utility."""
    set_it = "have the clock kept: `timedatectl set-ntp true`, or install chrony"
    if clock.now < clock.least:  # the machine woke up without a clock
        day = datetime.fromtimestamp(max(clock.now, 0.0), UTC).date()
        yield trouble("time", f"the clock says {day}, which cannot be", do=set_it)
    elif clock.kept is False:
        yield attention("time", "nobody keeps the clock: it will drift by seconds a day", do=set_it)
    elif clock.kept is None:
        yield ok("time", "who keeps the clock cannot be told on this machine")
    else:
        yield ok("time", "the clock is kept")
    apart_s = clock.rtc_apart_s
    if apart_s is None:
        yield ok("time", "there is no hardware clock: after a power cut the time comes by network")
    elif abs(apart_s) > RTC_OFF_S:
        yield attention(
            "time",
            f"the hardware clock is {abs(apart_s):.0f} s {'ahead' if apart_s > 0 else 'behind'}: "
            "so wrong is the time after a power cut",
            do="set it: `hwclock --systohc`; if it is wrong again soon, replace its battery",
        )


def of_disk(disk: Disk) -> Iterator[Finding]:
    """Judge a file system."""
    where, free = str(disk.path), f"{disk.free / _MB:.0f} MB free"
    if disk.error:
        yield trouble(
            "disk",
            f"cannot be looked at: {disk.error}",
            where,
            "run this as the hub's user; if it is that one, look in `dmesg`: the disk fails",
        )
        return
    room = "make room: move backups and logs away, or use a larger disk"
    if disk.read_only:
        yield trouble(
            "disk",
            "is read-only: nothing is remembered",
            where,
            "look in `dmesg` why the system mounted it so; often the card fails: replace it",
        )
    elif disk.free < FULL:
        yield trouble("disk", f"is full ({free})", where, room)
    elif disk.free < NEARLY_FULL:
        yield attention("disk", f"is nearly full ({free})", where, room)
    else:
        yield ok("disk", free, where)
    if disk.inodes and disk.free_inodes < FEW_INODES * disk.inodes:
        yield trouble(
            "disk",
            f"can hold only {disk.free_inodes} more files",
            where,
            "remove folders with many small files",
        )
    written = disk.written_per_day
    if written is not None and written > HEAVY_WRITES:
        yield attention(
            "disk",
            f"{written / _GB:.0f} GB are written a day: a card lasts months so",
            where,
            "find who writes (`iotop -ao`); the hub itself writes some MB",
        )


def of_memory(memory: Memory) -> Finding:
    """Judge the memory."""
    left = f"{memory.available / _MB:.0f} of {memory.total / _MB:.0f} MB are available"
    if memory.available < LITTLE_MEMORY:
        return attention(
            "memory",
            f"only {left}",
            do="end other programs; see `ps --sort=-rss -eo rss,comm | head`",
        )
    return ok("memory", left)


def of_versions(versions: Sequence[Version]) -> Iterator[Finding]:
    """Judge the parts of the software."""
    for each in versions:
        least, remedy = TOO_OLD.get(each.name, ((), ""))
        if each.number and each.number < least:
            yield attention("versions", f"{each.name} {each.text} is too old", do=remedy)
    yield ok("versions", ", ".join(f"{each.name} {each.text}" for each in versions))


def of_ports(ports: Iterable[Listened]) -> Iterator[Finding]:
    """Judge the addresses at which a program that does not run is to listen."""
    for each in ports:
        if each.refused:
            yield trouble(
                "ports",
                f"cannot be had for {each.what}: {each.refused}",
                each.place,
                f"see who has it (`ss -ltnp`), or set another {each.setting}",
            )
        else:
            yield ok("ports", f"is free for {each.what}", each.place)


def of_files(files: Iterable[File]) -> Iterator[Finding]:
    """Judge files; those that are as they should be are one finding together."""
    good = 0
    for each in files:
        where = str(each.path)
        if not each.there:
            yield trouble(
                "files", f"is not there: {each.what}", where, "bring it back, or name another one"
            )
        elif each.secret and each.exposed:
            yield trouble(
                "files", f"can be read by others: {each.what}", where, f"`chmod 600 {where}`"
            )
        elif not each.readable:
            yield attention(
                "files",
                f"cannot be read by who runs this: {each.what}",
                where,
                "run this as the hub's user; if it is that one, `chown` the file to it",
            )
        else:
            good += 1
    if good:
        yield ok("files", f"{good} are there, and no secret can be read by others")
