r"""The manual page hems(1), made of what the command line says of itself.

`python -m tests.supply.manual` writes `dist/hems.1`.
"""

import argparse
import os
import tomllib
from datetime import UTC, datetime
from typing import Final

from hems import cli
from tests.supply.parts import PROJECT
from tests.supply.sbom import time_of
from tests.supply.wheel import DIST

_ABOUT: Final = """\
.SH DESCRIPTION
A home's energy controller: it takes a utility's demand-response events over IEEE 2030.5, turns
them into set-points for solar, battery, charger and flexible loads, and shows the owner what
happens and why. As a Debian package it runs as the service
.BR hems ,
as the user
.BR hems ,
with the home in
.IR /var/lib/hems .
Commands about that home are given in its folder by its user:
.PP
.nf
.RS
sudo \\-u hems hems backup \\-\\-home /var/lib/hems /var/lib/hems/today.backup
.RE
.fi
.PP
.B hems COMMAND \\-\\-help
tells what a command takes, and
.B "hems \\-\\-version"
which version this is.
.SH COMMANDS
"""
_END: Final = """\
.SH FILES
.TP
.I /etc/default/hems
options of the service
.TP
.I /var/lib/hems
the home: configuration, store, keys
.TP
.I /etc/hems
secrets that are to be elsewhere than the home
.TP
.I /etc/hems\\-headend/headend.toml
configuration of a utility's server, the service
.BR hems\\-headend ;
it does not start without
.SH EXIT STATUS
0 as asked; 1 it could not, with one error on stderr; 2 a wrong command line; 130 ended by Ctrl-C.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1),
and the documents in
.IR /usr/share/doc/hems\\-common .
"""


def manual(parser: argparse.ArgumentParser, version: str, at: datetime) -> str:
    """Return the page as roff.

    Args:
        parser: The command line.
        version: The project's.
        at: The date that it bears.
    """
    lines = [
        f'.TH HEMS 1 "{at:%Y-%m-%d}" "hems {version}" "User Commands"',
        ".SH NAME",
        r"hems \- connected-home energy controller and utility's server (IEEE 2030.5)",
        ".SH SYNOPSIS",
        ".B hems",
        ".I COMMAND",
        ".RI [ ARGUMENT ...]",
    ]
    text = "\n".join(lines) + "\n" + _ABOUT
    for name, words in sorted(commands(parser).items()):
        text += f".TP\n.B hems {_safe(name)}\n{_safe(words)}\n"
    return text + _END


def commands(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return each command of a parser with what it says of it."""
    return {
        each.dest: each.help or ""
        for action in parser._actions  # argparse names no public way to its commands
        if isinstance(action, argparse._SubParsersAction)
        for each in action._choices_actions
    }


def _safe(text: str) -> str:
    """Return text as roff takes it to be text."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def main() -> None:
    """Write it."""
    at = time_of(os.environ.get("SOURCE_DATE_EPOCH")).astimezone(UTC)
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    DIST.mkdir(exist_ok=True)
    (DIST / "hems.1").write_text(manual(cli._parser(), version, at), encoding="utf-8")
    print("dist/hems.1")


if __name__ == "__main__":
    main()
