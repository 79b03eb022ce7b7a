"""A played scenario in words, for the terminal."""

from collections.abc import Sequence

from hems.scenarios.outcome import Finding
from hems.scenarios.record import Played
from hems.scenarios.script import Script


def passed(findings: Sequence[Finding]) -> bool:
    """Return whether all came out as expected."""
    return all(finding.passed for finding in findings)


def summary(name: str, script: Script, played: Played, findings: Sequence[Finding]) -> str:
    """Return the report of one scenario, some lines of text.

    Args:
        name: Of its file.
        script: What was to be played.
        played: What happened.
        findings: What the checks found.
    """
    verdict = "as expected" if passed(findings) else "NOT as expected"
    lasted_h = (script.end - script.begin) / 3600.0
    ids = ", ".join(script.requirements)
    lines = [
        f"{name}: {verdict} ({ids}; {lasted_h:.2g} h in {played.took_s:.1f} s)",
        f"  {script.title}",
    ]
    for finding in findings:
        mark = "ok  " if finding.passed else "FAIL"
        lines.append(f"  {mark} {finding.expects}: {finding.found}")
        if finding.says and not finding.passed:
            lines.append(f"       because: {finding.says}")
    if not passed(findings):
        lines += [f"  told: {each.text}" for each in played.shown]
    return "\n".join(lines)
