"""Bandit over our own source. A finding counts unless its reason is written down.

Ruff has bandit's rules too (S603 is B603), and a line that breaks one says why it does
(`# noqa: S603 - why`); that reason holds here as well. For what only bandit finds it stands in
`docs/security/accepted.toml`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.supply.accepted import Accepted
from tests.supply.parts import ROOT

OURS: Final = ("hems", "der", "programs", "web", "certs", "packaging")
_REASON: Final = r"#\s*noqa:[^#]*\bS{number}\b[^#]* - \w"
_LIMIT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that bandit found.

    Attributes:
        test: Which of its tests.
        file: Relative to the folder that was looked at.
        line: In it.
        what: In its words.
        explained: Whether the line says why.
    """

    test: str
    file: str
    line: int
    what: str
    explained: bool

    def text(self) -> str:
        """Return it in a line."""
        return f"{self.file}:{self.line}: {self.test}: {self.what}"


def findings(root: Path = ROOT, folders: Sequence[str] = OURS) -> list[Finding]:
    """Return all that bandit finds.

    Raises:
        RuntimeError: It cannot read the source.
    """
    command = [sys.executable, "-m", "bandit", "-q", "-c", str(ROOT / "pyproject.toml")]
    command += ["-f", "json", "-r", *folders]
    done = subprocess.run(
        command, cwd=root, check=False, capture_output=True, text=True, timeout=_LIMIT_S
    )
    try:
        report = json.loads(done.stdout)
    except ValueError as error:
        raise RuntimeError(f"bandit cannot do its work: {done.stderr[-300:]}") from error
    if report["errors"]:
        raise RuntimeError(f"bandit cannot read: {report['errors'][0]}")
    return [_finding(root, each) for each in report["results"]]


def _finding(root: Path, told: dict[str, object]) -> Finding:
    file, line = str(told["filename"]), int(str(told["line_number"]))
    span = told["line_range"] if isinstance(told["line_range"], list) else [line]
    lines = (root / file).read_text(encoding="utf-8").splitlines()
    about = "\n".join(lines[number - 1] for number in sorted({line, *span}))
    test = str(told["test_id"])
    explained = re.search(_REASON.format(number=test[1:]), about) is not None
    return Finding(test, file.removeprefix("./"), line, str(told["issue_text"]), explained)


def judged(found: Sequence[Finding], accepted: Accepted) -> tuple[list[str], list[str]]:
    """Return what has no reason, and which reasons have nothing to excuse any more."""
    excused = {(each.test, each.file) for each in accepted.source}
    bare = [each for each in found if not each.explained]
    wrong = [each.text() for each in bare if (each.test, each.file) not in excused]
    stale = sorted(excused - {(each.test, each.file) for each in bare})
    return wrong, [f"{file}: {test} is not found there any more" for test, file in stale]
