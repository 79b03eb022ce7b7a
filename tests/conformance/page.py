"""The committed page that lists the scenarios with their verdicts: docs/conformance.md."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.conformance.scenario import GROUPS, Profile
from tests.conformance.verdicts import Verdict

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
ELSEWHERE: Final = (
    ("COMM-001", "multicast discovery: shown by tests/hems/sep2/test_client.py and tests/e2e"),
    ("CORE-001, CORE-002, CORE-004", "what a server must do: tests/hems/headend"),
    ("UTIL-001 to UTIL-004", "what a utility's server must do with an aggregator's tree"),
    ("DRA-01 to DRG-01", "a DRED at the device's own terminals: no such device is driven here"),
    ("LOA-07, LOA-08, GEN-07, GEN-08", "defaults by notification: the steps of LOA-03 and GEN-03"),
    ("ALL-28", "ramps of the devices: the steps of BASIC-007 and ALL-25"),
)
"""Procedures without a scenario of their own, and why."""


def render(profile: Profile, verdicts: Sequence[Verdict]) -> str:
    """Return the page as Markdown."""
    counts = {v: sum(each.verdict == v for each in verdicts) for v in ("pass", "fail", "open")}
    lines = [
        "# Conformance scenarios",
        "",
        (
            "Written by `make conformance`; do not edit. Ids are those of the public SunSpec CSIP"
            " procedures (COMM to ERR) and of the public CSIP-AUS client ones; a letter behind"
            " an id marks a part. Titles are ours. A scenario runs the client alone, or hub and"
            " simulated devices as processes where the devices' power is the evidence, against a"
            " scripted utility over mutual TLS."
        ),
        "",
        (
            f"Profile {profile.value}: {len(verdicts)} scenarios, {counts['pass']} pass,"
            f" {counts['fail']} fail, {counts['open']} open."
        ),
    ]
    for group, title in GROUPS.items():
        rows = [v for v in verdicts if v.scenario.group == group]
        if not rows:
            continue
        lines += [
            "",
            f"## {title}",
            "",
            "| id | scenario | profiles | verdict |",
            "|---|---|---|---|",
        ]
        lines += [_row(v) for v in rows]
    lines += ["", "## Without a scenario here", "", "| ids | why |", "|---|---|"]
    lines += [f"| {ids} | {why} |" for ids, why in ELSEWHERE]
    return "\n".join(lines) + "\n"


def _row(verdict: Verdict) -> str:
    shown = verdict.scenario
    said = verdict.verdict if verdict.verdict == "pass" else f"**{verdict.verdict}**"
    reason = f": {verdict.reason.replace('|', '/')}" if verdict.reason else ""
    every = len(shown.profiles) == len(Profile)
    profiles = "all" if every else ", ".join(p.value for p in shown.profiles)
    return f"| {shown.id} | {shown.title} | {profiles} | {said}{reason} |"
