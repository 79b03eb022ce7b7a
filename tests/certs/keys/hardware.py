"""Real hardware, as far as a program can be: swtpm for a TPM 2.0, SoftHSM2 for a PKCS #11 token."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from certs.keys.secret import SecretPlace

PIN: Final = "471108"
TOKEN: Final = "hems"
_WITHIN_S: Final = 20.0
MODULE: Final = next(
    (
        str(path)
        for path in (
            Path("/usr/lib/softhsm/libsofthsm2.so"),
            *Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"),
        )
        if path.exists()
    ),
    "",
)

needs_swtpm = pytest.mark.skipif(
    shutil.which("swtpm") is None or find_spec("tpm2_pytss") is None,
    reason="needs Debian's swtpm (packaging/keystores) and the package tpm2-pytss",
)
needs_softhsm = pytest.mark.skipif(
    not MODULE or find_spec("pkcs11") is None,
    reason="needs Debian's softhsm2 (packaging/keystores) and the package python-pkcs11",
)


@dataclass
class SoftTpm:
    """A TPM 2.0 as a process, reached over a socket.

    Attributes:
        folder: Where its state is: it outlives the process.
    """

    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def tcti(self) -> str:
        return f"swtpm:path={self.folder}/s"

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        for name in ("s", "s.ctrl"):
            (self.folder / name).unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                "swtpm",
                "socket",
                "--tpm2",
                *("--tpmstate", f"dir={self.folder}"),
                *("--server", f"type=unixio,path={self.folder}/s,disconnect"),
                *("--ctrl", f"type=unixio,path={self.folder}/s.ctrl"),
                *("--flags", "not-need-init,startup-clear"),
            ],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _WITHIN_S
        while not (self.folder / "s").exists():
            assert time.monotonic() < deadline, "swtpm does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """Take it away, as when the machine has another board."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(_WITHIN_S)
            self._process = None
        (self.folder / "s").unlink(missing_ok=True)

    def hang(self) -> None:
        """Have it answer no more, without letting go of who asks."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def make_token(folder: Path, label: str = TOKEN) -> None:
    """Make a token of SoftHSM in a folder, and have this process and its children find it."""
    tokens = folder / "tokens"
    tokens.mkdir(parents=True, exist_ok=True)
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    subprocess.run(
        [
            *("softhsm2-util", "--init-token", "--free", "--label", label),
            *("--pin", PIN, "--so-pin", "98765432"),
        ],
        check=True,
        capture_output=True,
    )


def secret_file(folder: Path, content: str) -> SecretPlace:
    """Write a secret that its owner alone may read."""
    path = folder / "secret"
    path.touch(mode=0o600)
    path.write_text(content)
    return SecretPlace(path)
