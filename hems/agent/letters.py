"""What the agent tells: checked as it is read, for the agent may be somebody else by now."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from certs.agent.boot import Boot
from certs.agent.sockets import Oddity
from certs.agent.tree import What
from certs.manifest.manifest import Digest

_TEXT = 4_096
_Text = Annotated[str, Field(max_length=_TEXT)]
_Hex = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2}){0,2048}$")]


class LetterError(ValueError):
    """A letter that makes no sense; `str()` says what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ManifestWord(_Part):
    """What the manifest says of itself; fields as of `certs.manifest.manifest.Manifest`."""

    publisher: _Text
    version: _Text
    number: int = Field(ge=1)
    until: int
    boot: dict[_Text, Digest] = {}


class WrongWord(_Part):
    """A file that is not as it should be."""

    path: _Text
    what: What


class BootWord(_Part):
    """How the machine has started; fields as of `certs.agent.boot.Boot`."""

    registers: dict[_Text, Digest] = {}
    quote: _Hex = ""
    signature: _Hex = ""
    key: _Hex = ""
    error: _Text = ""

    def boot(self) -> Boot:
        """Return it as rules want it."""
        return Boot(self.registers, self.quote, self.signature, self.key, self.error)


class SettingsNotice(_Part):
    """A file of the configuration has changed; fields as of `certs.agent.settings_files.Change`."""

    kind: Literal["settings"]
    path: _Text
    what: Literal["changed", "added", "removed"]
    keys: tuple[_Text, ...] = Field(default=(), max_length=100)
    sha256: Digest | Literal[""] = ""


class SocketNotice(_Part):
    """Somebody listens or is connected; fields as of `certs.agent.sockets.Odd`."""

    kind: Literal["sockets"]
    what: Oddity
    address: _Text
    port: int = Field(ge=0, le=65_535)
    count: int = Field(default=1, ge=1)


Notice = Annotated[SettingsNotice | SocketNotice, Field(discriminator="kind")]


class State(_Part):
    """How things stand.

    Attributes:
        at: The agent's clock, UTC epoch seconds.
        checked: Whether all files were read at least once.
        manifest: What the manifest says of itself; None while nobody knows, or it does not count.
        error: Why it does not count; empty if it does.
        wrong: The first of the files that are not as they should be.
        count: How many these are.
        boot: What the TPM says; None where there is none, or it was not asked yet.
        notices: What has happened since the last letter.
    """

    at: float = Field(allow_inf_nan=False)
    checked: bool
    manifest: ManifestWord | None = None
    error: _Text = ""
    wrong: tuple[WrongWord, ...] = Field(default=(), max_length=100)
    count: int = Field(default=0, ge=0)
    boot: BootWord | None = None
    notices: tuple[Notice, ...] = Field(default=(), max_length=1_000)


def read_state(body: bytes) -> State:
    """Return what a letter says.

    Raises:
        LetterError: It makes no sense.
    """
    try:
        return State.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise LetterError(f"{place}: {first['msg']}") from error
