"""The list of trusted devices as it is kept: JSON, validated when it is read back."""

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter

from hems.emg.trust.identity import Identity
from hems.emg.trust.standing import Blocker, Cause, Entry, RevokedKey

KEY: Final = "trust"


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, from_attributes=True)


class _Identity(_Kept):
    key: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    mac: str = ""

    def whole(self) -> Identity:
        return Identity(self.key, self.manufacturer, self.model, self.serial, self.mac)


class _Revoked(_Kept):
    key: str
    at: float
    why: str


class _Entry(_Kept):
    approved: bool
    identity: _Identity | None = None
    shown: _Identity | None = None
    doubts: dict[Cause, str] = {}
    blocks: dict[Blocker, str] = {}
    revoked: tuple[_Revoked, ...] = ()

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls.model_validate(entry)

    def whole(self) -> Entry:
        return Entry(
            self.approved,
            None if self.identity is None else self.identity.whole(),
            None if self.shown is None else self.shown.whole(),
            self.doubts,
            self.blocks,
            tuple(RevokedKey(each.key, each.at, each.why) for each in self.revoked),
        )


_ALL: Final = TypeAdapter(dict[str, _Entry])


def dump(entries: dict[str, Entry]) -> str:
    """Return the list as text."""
    return _ALL.dump_json({i: _Entry.of(entry) for i, entry in entries.items()}).decode()


def load(text: str) -> dict[str, Entry]:
    """Return the list that a text holds.

    Raises:
        ValidationError: It is no such list.
    """
    return {i: entry.whole() for i, entry in _ALL.validate_json(text).items()}
