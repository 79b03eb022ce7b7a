"""The firmware lists fetched and verified (The Update Framework); blocks, and loads much.

It runs in a short-lived process of its own (`hems firmware refresh`): a hub need not hold for
years what it needs for seconds a day.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from tuf.api import exceptions
from tuf.api.metadata import TargetFile  # type: ignore[attr-defined] # re-exported unsaid
from tuf.ngclient import (  # type: ignore[attr-defined] # re-exported unsaid
    Updater,
    UpdaterConfig,
)

from hems.bulletin import APPROVED, INDEX, LIST, MOST_LIST, VENDORS, FirmwareList, Vendors
from hems.emg.firmware.approval import Word, refused
from hems.emg.firmware.fetcher import Fetcher
from hems.emg.firmware.lists import Refreshed, RefusedList
from hems.emg.firmware.passed import Passed
from hems.emg.firmware.tuf_place import Place

WITHIN_S: Final = 120.0
PACKAGE_WITHIN_S: Final = 900.0
MOST_LISTS: Final = 4 * 1024 * 1024
"""All lists together, octets: the hub holds them in memory."""
MOST_PACKAGE: Final = 200 * 1024 * 1024
_BOUNDS: Final = UpdaterConfig(
    max_root_rotations=32,
    max_delegations=80,
    root_max_length=65_536,
    timestamp_max_length=16_384,
    snapshot_max_length=262_144,
    targets_max_length=1_048_576,
)

_M = TypeVar("_M", bound=BaseModel)


class FirmwareError(Exception):
    """The lists, or a file of them, were refused or could not be had; `str()` says why.

    Attributes:
        refused: Whether what came is not good, rather than that nothing came.
    """

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused


def refresh(place: Place, *, within_s: float = WITHIN_S) -> Refreshed:
    """Fetch and verify all lists.

    Raises:
        FirmwareError: The repository as a whole is not good, or out of reach.
    """
    with _updater(place, within_s) as updater:
        updater.refresh()
        index = _read(updater, place, updater.get_targetinfo(INDEX), Vendors)
        lists: list[FirmwareList] = []
        room = MOST_LISTS
        bad: list[RefusedList] = []
        for vendor in index.vendors:
            try:
                target = _signed(updater, vendor, LIST, min(MOST_LIST, room))
                lists.append(_list(updater, place, vendor, target))
                room -= target.length
            except (FirmwareError, exceptions.RepositoryError, exceptions.DownloadError) as error:
                bad.append(RefusedList(vendor=vendor, why=_why(error)))
        return Refreshed(lists=tuple(lists), refused=tuple(bad))


def fetch_release(
    place: Place, vendor: str, file: str, into: Path, *, within_s: float = PACKAGE_WITHIN_S
) -> None:
    """Fetch a package of the hub's own software, signed by vendor and service provider.

    Args:
        place: Where from.
        vendor: Whose it is.
        file: Its name in the list.
        into: Where to put it once it is verified.
        within_s: Longest time.

    Raises:
        FirmwareError: It is not signed by both, is damaged, or cannot be had; nothing is left.
    """
    with _updater(place, within_s) as updater:
        target = _signed(updater, vendor, file, MOST_PACKAGE)
        draft = into.with_name(f".{into.name}.new")
        try:
            updater.download_target(target, str(draft))
            draft.replace(into)
        finally:
            draft.unlink(missing_ok=True)


def _list(updater: Updater, place: Place, vendor: str, target: TargetFile) -> FirmwareList:
    found = _read(updater, place, target, FirmwareList)
    if found.vendor != vendor:
        raise FirmwareError("it is another vendor's list", refused=True)
    return found


def _signed(updater: Updater, vendor: str, file: str, most: int) -> TargetFile:
    """Return a file of a vendor's, if the service provider has signed the very same."""
    theirs = updater.get_targetinfo(f"{VENDORS}/{vendor}/{file}")
    ours = updater.get_targetinfo(f"{APPROVED}/{vendor}/{file}")
    why = refused(_word(theirs), _word(ours))
    if why is not None:
        raise FirmwareError(why, refused=True)
    if theirs is None or theirs.length > most:
        raise FirmwareError(f"it is longer than {most} octets", refused=True)
    return theirs


def _word(target: TargetFile | None) -> Word | None:
    return None if target is None else Word(target.length, target.hashes)


def _read(updater: Updater, place: Place, target: TargetFile | None, model: type[_M]) -> _M:
    """Download a file, verified, and read it."""
    if target is None or target.length > MOST_LIST:
        raise FirmwareError("the repository has no list that can be read", refused=True)
    file = place.folder / "targets" / "fetched.json"
    updater.download_target(target, str(file))
    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FirmwareError(
            f"what was signed is no list: {where}: {first['msg']}", refused=True
        ) from error
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _updater(place: Place, within_s: float) -> Iterator[Updater]:
    """Give the library's client; its refusals become one sentence."""
    metadata, targets = place.folder / "metadata", place.folder / "targets"
    try:
        root = place.root.read_bytes()
        for folder in (metadata, targets):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FirmwareError(f"{error.filename}: {error.strerror}", refused=False) from error
    base = place.url.rstrip("/")
    line = None if place.context is None else Fetcher(place.context, within_s)
    inner = line if place.source is None else Passed(place.source, base, None)
    fetcher = inner if place.passed is None else Passed(place.passed, base, inner)
    if fetcher is None:
        raise FirmwareError("there is nobody to ask", refused=False)
    try:
        yield Updater(
            str(metadata),
            f"{base}/metadata/",
            str(targets),
            f"{base}/targets/",
            fetcher,
            _BOUNDS,
            bootstrap=root,
        )
    except exceptions.DownloadLengthMismatchError as error:
        raise FirmwareError(_why(error), refused=True) from error
    except exceptions.DownloadError as error:
        raise FirmwareError(_why(error), refused=False) from error
    except exceptions.RepositoryError as error:
        raise FirmwareError(_why(error), refused=True) from error
    except OSError as error:
        raise FirmwareError(f"{place.folder}: cannot be written: {error}", refused=False) from error
    finally:
        if line is not None:
            line.close()


def _why(error: Exception) -> str:
    """Return what is wrong in one sentence, and for the well-known attacks in their own words."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return f"{words} ({error})"
    return str(error) or type(error).__name__


_WORDS: Final = (
    (exceptions.ExpiredMetadataError, "nobody vouches any more that this is the newest"),
    (exceptions.BadVersionNumberError, "older lists than those that are known were offered"),
    (exceptions.EqualVersionNumberError, "a list was changed without a new number"),
    (exceptions.UnsignedMetadataError, "too few of those who must sign have signed"),
    (exceptions.LengthOrHashMismatchError, "a file is not the one that was signed"),
    (exceptions.DownloadLengthMismatchError, "a file is longer than it may be"),
)
