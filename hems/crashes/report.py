"""A crash report: where the program was and in which versions, with nothing of the home. Pure.

Values get into tracebacks by way of messages ("no device 'bath'", a PIN that is no number), file
names (a user's) and lines of source. None of these is written. A message is written only where it
stands word for word in the code that raised it, which everybody has.
"""

import errno
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType, TracebackType
from typing import Final

WITHHELD: Final = "(its message is withheld)"
LARGEST: Final = 48 * 1024
"""Characters of a report; the rest is cut."""
MOST_FAULTS: Final = 12
MOST_FRAMES: Final = 60
_FIRST_FRAMES: Final = 15
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.<>]")
_LONGEST_NAME: Final = 120
_FORM: Final = "hems crash report, form 1"
_PROMISE: Final = (
    "Nothing sends this file anywhere. It tells where the program was, and no values, names,\n"
    "addresses or keys: it can be attached to a report as it is."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What is kept of a crash.

    Attributes:
        at: When, UTC epoch seconds.
        what: What ended, in a few words of ours.
        versions: Of program, interpreter, libraries and machine, one line each.
        state: What the program was at, in numbers and words of ours.
        where: What went wrong, as `faults` or `hard_faults` tell it.
    """

    at: float
    what: str
    versions: Sequence[str]
    state: Sequence[str]
    where: Sequence[str]

    def text(self) -> str:
        """Return the report as a file has it."""
        at = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")
        lines = [_FORM, f"at: {at.replace('+00:00', 'Z')}", f"what: {self.what}"]
        for title, said in (
            ("versions", self.versions),
            ("state", self.state),
            ("where", self.where),
        ):
            lines += [f"{title}:", *(f"  {line}" for line in said)]
        body = "\n".join(lines)[:LARGEST]
        return f"{body}\n\n{_PROMISE}\n"


def faults(error: BaseException) -> list[str]:
    """Return an exception with what caused it and what it is made of, in lines without values."""
    lines: list[str] = []
    for number, (role, each) in enumerate(_family(error)):
        if number == MOST_FAULTS:
            lines.append("and more")
            break
        lines.append(f"{role}{_named(type(each))} {_message(each)}".rstrip())
        lines += [f"  {place}" for place in _places(each.__traceback__)]
    return lines


def fingerprint(lines: Iterable[str]) -> int:
    """Return what is the same for the same fault in the same place."""
    return hash(tuple(lines))


def _family(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield an exception, the ones that it groups, and what caused each; each once."""
    seen: set[int] = set()
    waiting: list[tuple[str, BaseException]] = [("", error)]
    while waiting:
        role, each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield role, each
        if isinstance(each, BaseExceptionGroup):
            waiting += [("part: ", part) for part in each.exceptions]
        if each.__cause__ is not None:
            waiting.append(("because of: ", each.__cause__))
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append(("while handling: ", each.__context__))


def _named(kind: type[BaseException]) -> str:
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return _fit(module + kind.__qualname__)


def _message(error: BaseException) -> str:
    """Return an exception's message if it can be nobody's, else that it is withheld."""
    number = error.errno if isinstance(error, OSError) else None
    if number is not None and number in errno.errorcode:
        return f"{errno.errorcode[number]} {WITHHELD}"
    if not error.args:
        return ""
    raised = _last(error.__traceback__)
    said = error.args[0]
    if isinstance(error, BaseExceptionGroup) or raised is None or len(error.args) > 1:
        return WITHHELD
    if isinstance(said, str) and said in _words(raised):
        return repr(said)
    return WITHHELD


def _words(frame: FrameType) -> tuple[str, ...]:
    """Return the texts that stand in a frame's code; none of code that was made as it ran."""
    file = getattr(frame.f_globals.get("__spec__"), "origin", None)
    if frame.f_code.co_filename != file:
        return ()
    return tuple(each for each in frame.f_code.co_consts if isinstance(each, str))


def _last(trace: TracebackType | None) -> FrameType | None:
    found = None
    while trace is not None:
        found, trace = trace.tb_frame, trace.tb_next
    return found


def _places(trace: TracebackType | None) -> list[str]:
    """Return where an exception passed, the outermost first."""
    places = []
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        name = trace.tb_frame.f_code.co_qualname
        places.append(f"{_fit(str(module))}:{trace.tb_lineno} in {_fit(name)}")
        trace = trace.tb_next
    if len(places) > MOST_FRAMES:
        left = len(places) - MOST_FRAMES
        last = MOST_FRAMES - _FIRST_FRAMES
        places = [*places[:_FIRST_FRAMES], f"... {left} more ...", *places[-last:]]
    return places


def _fit(name: str) -> str:
    return _UNFIT.sub("?", name)[:_LONGEST_NAME]


_FATAL: Final = re.compile(
    r"Fatal Python error: (Aborted|Segmentation fault|Bus error|Floating point exception|"
    r"Floating-point exception|Illegal instruction)$"
)
_THREAD: Final = re.compile(r"(Current thread|Thread) 0x[0-9a-f]+")
_FRAME: Final = re.compile(r'  File "(.*)", line (\d{1,7}) in ([A-Za-z0-9_.<>]{1,120})$')
_LIBRARY: Final = re.compile(r".*/((?:site-packages|dist-packages|lib/python3\.\d+)/.*)$")
_PACKAGE: Final = re.compile(r".*/((?:hems|der|programs|web|certs)/[A-Za-z0-9_/]*\.py)$")


def hard_faults(text: str) -> list[str]:
    """Return what the interpreter wrote as it was ended by a signal, without anybody's file names.

    Args:
        text: As `faulthandler` wrote it; a line of another form is left out.
    """
    lines = []
    for line in text.splitlines():
        if fatal := _FATAL.match(line):
            lines.append(fatal[1])
        elif thread := _THREAD.match(line):
            lines.append(thread[1].lower())
        elif frame := _FRAME.match(line):
            lines.append(f"  {_file(frame[1])}:{frame[2]} in {frame[3]}")
    return lines


def _file(path: str) -> str:
    """Return the part of a program's path that is the same on every machine."""
    for form in (_LIBRARY, _PACKAGE):
        if found := form.match(path):
            inner = found[1].split("-packages/")[-1]
            return "/".join(_fit(part) for part in inner.split("/"))
    return "?"
