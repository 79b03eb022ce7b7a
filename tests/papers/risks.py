"""The list of risks: read from `docs/security/risks.toml`, checked, and written as a page.

`python -m tests.papers.risks` (`make risks`) writes `docs/security/risks.md`.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from tests.security.attack import Kind
from tests.traceability import ROOT, exists

SOURCE: Final = ROOT / "docs" / "security" / "risks.toml"
PAGE: Final = ROOT / "docs" / "security" / "risks.md"

Sentence = Annotated[str, Field(min_length=5, max_length=400)]


class Threat(StrEnum):
    """Classes of STRIDE."""

    SPOOFING = "spoofing"
    TAMPERING = "tampering"
    REPUDIATION = "repudiation"
    DISCLOSURE = "disclosure"
    DENIAL = "denial"
    ELEVATION = "elevation"


class Size(StrEnum):
    """How likely, how bad."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Risk(BaseModel):
    """One risk; the fields are explained at the head of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[0-9]{1,2}$")]
    area: Sentence
    asset: Annotated[str, Field(min_length=4)]
    threat: Threat
    attacker: Sentence
    likelihood: Size
    harm: Size
    consequence: Sentence
    by: Annotated[tuple[str, ...], Field(min_length=1)]
    tests: Annotated[tuple[str, ...], Field(min_length=1)]
    attacks: tuple[Kind, ...] = ()
    residual: Sentence
    owner: Sentence

    def rank(self) -> int:
        """Return likelihood by harm, 1 to 9."""
        sizes = list(Size)
        return (sizes.index(self.likelihood) + 1) * (sizes.index(self.harm) + 1)


def read(file: Path = SOURCE) -> list[Risk]:
    """Return all risks, in the order of the file.

    Raises:
        ValueError: A risk is not whole, or two have one id.
    """
    raw = tomllib.loads(file.read_text(encoding="utf-8"))["risk"]
    risks = [Risk.model_validate(each) for each in raw]
    twice = [name for name, count in Counter(risk.id for risk in risks).items() if count > 1]
    if twice:
        raise ValueError(f"{file.name}: {', '.join(twice)}: there are two of them")
    return risks


def missing(risks: Sequence[Risk], root: Path = ROOT) -> Iterator[str]:
    """Yield the modules and tests that a risk names and that are not there."""
    for risk in risks:
        for module in risk.by:
            if not (root / module).exists():
                yield f"{risk.id}: {module}"
        for test in risk.tests:
            there = exists(test, root) if "::" in test else (root / test).exists()
            if not there:
                yield f"{risk.id}: {test}"


def render(risks: Sequence[Risk]) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Risks",
        "",
        "Written by `make risks` from `risks.toml`; do not edit. A test checks that each module",
        "and test that is named here is there. Likelihood and harm are those without",
        "countermeasures, rank is their product (1 to 9); the threats are the classes of STRIDE.",
        "",
        f"{len(risks)} risks, the highest rank first:",
        "",
        "| id | asset | threat | likelihood | harm | rank | residual |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| [{risk.id}](#{risk.id.lower()}) | {risk.asset} | {risk.threat} | "
        f"{risk.likelihood} | {risk.harm} | {risk.rank()} | {risk.residual} |"
        for risk in sorted(risks, key=lambda risk: (-risk.rank(), risk.id))
    ]
    for area in dict.fromkeys(risk.area for risk in risks):
        lines += ["", f"## {area}"]
        for risk in (each for each in risks if each.area == area):
            lines += ["", f"### {risk.id}", "", *_told(risk)]
    return "\n".join(lines) + "\n"


def _told(risk: Risk) -> list[str]:
    tried = [f"- attacked by: {', '.join(risk.attacks)} (`tests/security`)"] if risk.attacks else []
    return [
        f"**{risk.asset}**: {risk.threat}, by {risk.attacker}. {risk.consequence}",
        "",
        f"- likelihood {risk.likelihood}, harm {risk.harm}",
        f"- by: {', '.join(f'`{each}`' for each in risk.by)}",
        f"- shown by: {', '.join(f'`{each}`' for each in risk.tests)}",
        *tried,
        f"- left: {risk.residual}",
        f"- the owner: {risk.owner}",
    ]


if __name__ == "__main__":
    PAGE.write_text(render(read()), encoding="utf-8")
