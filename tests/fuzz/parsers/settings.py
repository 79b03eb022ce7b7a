"""The configuration, the devices file and the settings file: TOML that people write and restore.

An input is a first octet that says which file it is, and its content.
"""

import tempfile
from pathlib import Path
from typing import Final

from der.drivers.mapped.files import names, parse
from der.errors import PermanentError
from hems.settings import devices_file, settings_file
from hems.settings.config import load
from hems.settings.toml_file import ConfigError
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.parser import Parser, attempt, refused, same

_FOLDER: Final = Path(tempfile.mkdtemp(prefix="fuzz-settings-"))
_CONFIG: Final = _FOLDER / "hems.toml"
_BESIDE: Final = (devices_file.DEFAULT, settings_file.NAME)
_MAPS: Final = Path(__file__).resolve().parents[3] / "der" / "drivers" / "mapped" / "maps"
_PLAIN: Final = b'[home]\nname = "Home"\n'


def examine(data: bytes) -> str:
    """Read a file of the configuration, or a device's description."""
    head, content = (data[0], data[1:]) if data else (0, b"")
    if head % 4 == 3:
        return _map(content)
    for each in _BESIDE:
        (_FOLDER / each).unlink(missing_ok=True)
    _CONFIG.write_bytes(_PLAIN if head % 4 else content)
    if head % 4:
        (_FOLDER / _BESIDE[head % 4 - 1]).write_bytes(content)
    try:
        found = load(_CONFIG)
    except ConfigError as error:
        return _told(error)
    same(load(_CONFIG), found, "the configuration read twice")
    return "read"


def _told(error: ConfigError) -> str:
    """Check that each mistake is a sentence that names one of the files."""
    lines = str(error).split("\n")
    same([line for line in lines if not line.startswith(str(_FOLDER))], [], "where a mistake is")
    return "; ".join(refused(ConfigError(line.removeprefix(str(_FOLDER)))) for line in lines[:3])


def _map(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    found, words = attempt(lambda: parse(text, "x.toml"), PermanentError)
    same(words.startswith("PermanentError: x.toml: "), found is None, "which file it is")
    return words


def seeds() -> list[bytes]:
    """Return the guide's own configuration, a file of devices, one of settings, descriptions."""
    guide = Path(__file__).resolve().parents[3] / "docs" / "operate.md"
    blocks = guide.read_text(encoding="utf-8").split("```toml\n")[1:]
    toml = [block.partition("```")[0].encode() for block in blocks]
    devices = (
        b'[[device]]\nid = "pv"\nkind = "pv"\ndriver = "sunspec"\nhost = "192.0.2.1"\n'
        b'[[device]]\nid = "m"\nkind = "meter"\ndriver = "p1"\nhost = "192.0.2.2"\nport = 8088\n'
    )
    page = b'[home]\nname = "Ours"\ntime_zone = "Europe/Paris"\n\n[tariff]\ncurrency = "EUR"\n'
    maps = [(_MAPS / f"{name}.toml").read_bytes() for name in names()[:4]]
    return [
        *(b"\0" + each for each in toml),
        *(b"\1" + each for each in (devices, *toml[:1])),
        *(b"\2" + each for each in (page, *toml[:1])),
        *(b"\3" + each for each in maps),
    ]


WORDS: Final = (
    *NASTY, b"[[device]]\n", b"[home]\n", b"[[utility]]\n", b"[tariff]\n", b"[web]\n", b"\n= ",
    b'"5 kW"', b'"1e400 kW"', b'"-1 s"', b'"nan W"', b"'''", b'"""', b"a = " + b"[" * 2000,
    b"a." * 2000, b"{a=" * 1500, b"host = ", b"port = 70000\n", b'"\\u0000"', b"0x", b"1_0",
)  # fmt: skip
PARSER: Final = Parser(examine, seeds, WORDS, rounds=15)
