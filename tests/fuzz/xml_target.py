"""What must hold of any octets whatever that are given to the XML codec."""

from hems.sep2.errors import MalformedError, OversizedError
from hems.sep2.resources import Resource
from hems.sep2.resources.wire import Record
from hems.sep2.xml import BadItem, parse, parse_any, serialize


class WrongError(Exception):
    """The codec did something with an input that it never may."""


def examine(data: bytes) -> str:
    """Read a body in each way there is, and write and read again what it holds.

    Returns:
        What came of it: the class of the record, or the reason why there is none.

    Raises:
        WrongError: If two ways do not agree, or what is written does not come back equal.
        Exception: Any other than the codec's two errors is a finding too.
    """
    bad: list[BadItem] = []
    strict = _read(data)
    lenient = _read(data, bad)
    if isinstance(strict, Record):
        if strict != lenient or bad:
            raise WrongError("a sound body is read differently when bad items may be left out")
    elif isinstance(lenient, Record) and not bad:
        raise WrongError(f"refused for {strict!r} and then read without a bad item")
    if not isinstance(lenient, Record):
        _check_sentence(lenient)
        return lenient
    body = serialize(lenient)
    if parse(body, Record) != lenient:
        raise WrongError(f"it does not come back equal from {body!r}")
    _check_any(data, strict)
    for item in bad:
        _check_sentence(str(item.error))
    return "; ".join([type(lenient).__name__, *(str(item.error) for item in bad)])


def _read(data: bytes, bad: list[BadItem] | None = None) -> Record | str:
    try:
        return parse(data, Record, on_bad=None if bad is None else bad.append)
    except (MalformedError, OversizedError) as error:
        return str(error)


def _check_any(data: bytes, strict: Record | str) -> None:
    try:
        resource = parse_any(data)
    except MalformedError as error:
        if isinstance(strict, Resource):
            raise WrongError("a resource is no longer one if any may come") from error
    else:
        if resource != strict:
            raise WrongError("it is another resource if any may come")


def _check_sentence(reason: str) -> None:
    if not reason or "\n" in reason or len(reason) > 1000:
        raise WrongError(f"{reason!r} is no short sentence")
