"""What the agent is started with: one JSON object on its standard input."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

MOST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Opening:
    """What it looks at, and whom it tells.

    Attributes:
        socket: Where the hub listens.
        secret: Shared with the hub, hex digits.
        manifest: File of the signed manifest.
        roots: File of the providers that are believed, PEM.
        crls: File of the lists of those that are believed no more; empty for none.
        root: Folder that our own packages are in.
        sites: Folders of others' software.
        tcti: How the TPM is reached; empty for none.
        files: Of the configuration.
        folders: Whose files belong to the configuration too.
        ports: That the hub listens at.
        networks: That belong to the home beside the private ones, as CIDR.
        child: Whether it ends when whoever started it has.
    """

    socket: str
    secret: str
    manifest: str
    roots: str
    root: str
    sites: tuple[str, ...]
    crls: str = ""
    tcti: str = ""
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    networks: tuple[str, ...] = ()
    child: bool = False

    def written(self) -> bytes:
        """Return it as it is handed over."""
        return json.dumps(asdict(self)).encode()


def read_opening(content: bytes) -> Opening:
    """Return what was handed over.

    Raises:
        ValueError: It is none.
    """
    raw: Any = json.loads(content)
    if not isinstance(raw, dict):
        raise ValueError("the opening is no JSON object")  # noqa: TRY004 - whatever is wrong with it
    lists = ("sites", "files", "folders", "ports", "networks")
    try:
        return Opening(**{**raw, **{name: tuple(raw[name]) for name in lists}})
    except (TypeError, KeyError) as error:
        raise ValueError(f"the opening is not whole: {error}") from error
