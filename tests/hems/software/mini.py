"""A small wheel that is installed and started as the hub's own is: real in form, quick to build."""

import base64
import hashlib
import zipfile
from pathlib import Path

from hems.bulletin import Package
from hems.software.archive import make

TELLS = """
import sys

def main():
    print("{version}", *sys.argv[1:])
    return 0
"""


def pip_wheel() -> Path:
    """The pip that Python's own `ensurepip` brings, or that Debian keeps for it."""
    import ensurepip  # noqa: PLC0415 - Debian has it in a package of its own

    bundled = Path(ensurepip.__file__).parent / "_bundled"
    found = [*bundled.glob("pip-*.whl"), *Path("/usr/share/python-wheels").glob("pip-*.whl")]
    return found[0]


def wheel(folder: Path, version: str, *, main: str = TELLS) -> Path:
    """Build a wheel of the software's name."""
    name = f"hems-{version}"
    files = {
        "hems/__init__.py": "",
        "hems/__main__.py": main.format(version=version),
        "hems/commands/__init__.py": "",
        "hems/commands/run.py": "",
        "hems/planning/__init__.py": "",
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: hems\nVersion: {version}\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: mini\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/entry_points.txt": "[console_scripts]\nhems = hems.__main__:main\n",
    }
    lines = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    record = f"{name}.dist-info/RECORD"
    files[record] = "\n".join([*lines, f"{record},,"]) + "\n"
    made = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as opened:
        for path, text in files.items():
            opened.writestr(zipfile.ZipInfo(path), text)
    return made


def archive(folder: Path, package: Package, *, main: str = TELLS) -> bytes:
    """Build an archive of a small wheel; returns its octets."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / package.file
    make(package, [wheel(folder, package.version, main=main)], pip_wheel(), made)
    return made.read_bytes()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
