"""Single values between XML text and Python, each checked against the range of its type.

Both directions raise `ValueError` with the reason alone; the caller adds where.
"""

import re
from collections.abc import Callable
from typing import Final

from hems.sep2.resources.wire import Bits, HexId, Integer, Scalar, Text

Value = int | str | bool

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_HEX = re.compile(r"[0-9A-Fa-f]+")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile("[ !#-%'-;=?-~]*")
_SPECIAL = re.compile('[&<>"\t\n\r]')
# A parser turns bare line ends and, in attributes, tabs into spaces: they go as references.
_ESCAPES: Final = {c: f"&#{ord(c)};" for c in '"\t\n\r'} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SHOWN: Final = 40


def reader(kind: Scalar) -> Callable[[str], Value]:
    """Return the function that reads a text of this kind."""
    match kind:
        case Integer(least, most):
            return _integer_reader(least, most)
        case Bits(octets):
            return _bits_reader(octets)
        case HexId(octets):
            return _hex_reader(octets)
        case Text(length, collapse):
            return _text_reader(length, collapse=collapse)
        case _:
            return _read_boolean


def writer(kind: Scalar, before: str = "", after: str = "") -> Callable[[object], str]:
    """Return the function that writes a value of this kind as escaped XML text.

    Args:
        kind: Range and form.
        before: What is put before each value, such as the start tag.
        after: What is put behind it.
    """
    match kind:
        case Integer(least, most):
            return _integer_writer(least, most, before, after)
        case Bits(octets):
            return _bits_writer(octets, before, after)
        case HexId(octets):
            return _hex_writer(octets, before, after)
        case Text(length, _):
            return _text_writer(length, before, after)
        case _:
            return _boolean_writer(before, after)


def shown(text: str) -> str:
    """Return what an error says of a text: quoted, and no more than its beginning."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def _read_boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.strip())
    if value is None:
        raise ValueError(f"{shown(text)} is not a boolean")
    return value


def _boolean_writer(before: str, after: str) -> Callable[[object], str]:
    true, false = f"{before}true{after}", f"{before}false{after}"

    def write(value: object) -> str:
        if value is True:
            return true
        if value is False:
            return false
        raise ValueError(f"{shown(str(value))} is not a boolean")

    return write


def _integer_reader(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"{shown(text)} is not an integer") from None
        # int() takes more than XML does: digits of other scripts, and "1_000".
        if "_" in text or not text.isascii():
            raise ValueError(f"{shown(text)} is not an integer")
        if least <= value <= most:
            return value
        raise ValueError(f"{shown(str(value))} is not between {least} and {most}")

    return read


def _integer_writer(least: int, most: int, before: str, after: str) -> Callable[[object], str]:
    def write(value: object) -> str:
        if not isinstance(value, int):
            raise ValueError(f"{shown(str(value))} is not an integer")  # noqa: TRY004 - as reading
        if least <= value <= most:
            return f"{before}{value:d}{after}"
        raise ValueError(f"{value} is not between {least} and {most}")

    return write


def _bits_reader(octets: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        return int(_digits(text, octets), 16)

    return read


def _digits(text: str, octets: int) -> str:
    """Return hexadecimal digits of at most so many octets.

    Raises:
        ValueError: If a text is anything else.
    """
    try:
        if len(bytes.fromhex(text)) == octets and len(text) == 2 * octets:
            return text  # the form in which nearly all of them come
    except ValueError:
        pass
    text = text.strip()
    if not _HEX.fullmatch(text):
        raise ValueError(f"{shown(text)} is not hexadecimal")
    if len(text) > 2 * octets:
        raise ValueError(f"{shown(text)} has more than {octets} octets")
    return text


def _bits_writer(octets: int, before: str, after: str) -> Callable[[object], str]:
    digits = 2 * octets
    most = (1 << (8 * octets)) - 1

    def write(value: object) -> str:
        if isinstance(value, int) and 0 <= value <= most:
            return f"{before}{value:0{digits}X}{after}"
        raise ValueError(f"{shown(str(value))} is not a bitmap of {octets} octets")

    return write


def _hex_reader(octets: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        digits = _digits(text, octets)
        if len(digits) % 2:
            raise ValueError(f"{shown(digits)} is not of whole octets")
        return digits.upper()

    return read


def _hex_writer(octets: int, before: str, after: str) -> Callable[[object], str]:
    read = _hex_reader(octets)

    def write(value: object) -> str:
        return f"{before}{read(str(value))}{after}"

    return write


def _text_reader(length: int | None, *, collapse: bool) -> Callable[[str], str]:
    if length is None:
        return str.strip if collapse else str

    def read(text: str) -> str:
        if collapse:
            text = text.strip()
        if len(text) > length:
            raise ValueError(f"{shown(text)} is longer than {length} characters")
        return text

    return read


def _text_writer(length: int | None, before: str, after: str) -> Callable[[object], str]:
    def write(value: object) -> str:
        text = str(value)
        if length is not None and len(text) > length:
            raise ValueError(f"{shown(text)} is longer than {length} characters")
        if _PLAIN.fullmatch(text):
            return f"{before}{text}{after}"
        if bad := _NOT_XML.search(text):
            raise ValueError(f"character {bad[0]!r} has no place in XML")
        return f"{before}{escaped(text)}{after}"

    return write


def escaped(text: str) -> str:
    """Return characters as they go into XML, as text or within double quotes."""
    return _SPECIAL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES[match[0]]
