"""A played scenario as a page that stands by itself: no file beside it, nothing from elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from hems.scenarios.outcome import Finding
from hems.scenarios.record import Played
from hems.scenarios.report import passed
from hems.scenarios.script import Script

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8886; --good: #2a7d4f; --bad: #c1272d; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0.2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); }
td { vertical-align: top; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
@media (prefers-color-scheme: dark) { :root { --good: #6fcf97; --bad: #ff7b72; } }
figure { margin: 1rem 0; overflow-x: auto; background: #fff; border-radius: 6px; }
figure svg { max-width: 100%; height: auto; display: block; }
"""


def page(
    name: str, script: Script, played: Played, findings: Sequence[Finding], picture: str
) -> str:
    """Return a page.

    Args:
        name: Of the scenario's file.
        script: What was to be played.
        played: What happened.
        findings: What the checks found.
        picture: An SVG element.
    """
    good = passed(findings)
    verdict = "as expected" if good else "not as expected"
    ids = ", ".join(script.requirements)
    when = f"{script.starts:%A, %d %B %Y, %H:%M} to {script.ends}, {script.time_zone}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(script.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(script.title)}</h1>",
        f"<p>{_marked(good, f'It came out {verdict}.')} {escape(script.shows)}</p>",
        f"<p>{escape(f'{name}; {ids}; {when}')}</p>",
        f"<figure>{picture}</figure>",
        _table(
            "Expected and found",
            ("", "Expected", "Found"),
            [
                (
                    _marked(f.passed, "as expected" if f.passed else "not as expected"),
                    escape(f.expects) + (f"<br><small>{escape(f.says)}</small>" if f.says else ""),
                    escape(f.found),
                )
                for f in findings
            ],
        ),
        _events(script, played),
        _table(
            "What the owner was told",
            ("From", "To", ""),
            [
                (_clock(script, each.begins), _clock(script, each.ends), escape(each.text))
                for each in played.shown
            ],
        ),
        _table(
            "Faults, weather and grid",
            ("From", "To", ""),
            [
                (_clock(script, band.begins), _clock(script, band.ends), escape(band.what))
                for band in played.bands
            ],
        ),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part)


def _marked(good: bool, text: str) -> str:
    return f'<span class="{"good" if good else "bad"}">{escape(text)}</span>'


def _events(script: Script, played: Played) -> str:
    rows = []
    for told in played.events.values():
        answers = ", ".join(f"{a.status} at {_clock(script, a.at)}" for a in told.answers)
        states = ", ".join(f"{state} from {_clock(script, at)}" for at, state, _ in told.states)
        span = f"{_clock(script, told.starts_at)} to {_clock(script, told.ends_at)}"
        rows.append(
            (escape(told.name), escape(told.asks), span, escape(states), answers or "nothing")
        )
    return _table("Events", ("Event", "Asks", "Dispatched for", "At the home", "Answered"), rows)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; nothing where it would be empty. Cells are HTML already."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead>{body}</table>"


def _clock(script: Script, at: float) -> str:
    return f"{datetime.fromtimestamp(at, script.zone):%H:%M:%S}"
