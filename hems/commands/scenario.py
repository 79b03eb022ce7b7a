"""`hems scenario`: a home through hours of weather, prices, events and faults, in seconds."""

import argparse
import logging
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from hems.commands.output import fail
from hems.logs import log_to_stderr
from hems.scenarios.outcome import Finding, judge
from hems.scenarios.page import page
from hems.scenarios.record import Played
from hems.scenarios.report import passed, summary
from hems.scenarios.script import Script, ScriptError, load_script
from hems.scenarios.stage import play
from hems.settings.toml_file import ConfigError


class _Picture(Protocol):
    """A drawn figure."""


class _Plots(Protocol):
    """`hems.scenarios.plots`, which takes a library that not everybody has."""

    def draw(self, script: Script, played: Played) -> _Picture: ...
    def write_png(self, figure: _Picture, path: Path) -> None: ...
    def as_svg(self, figure: _Picture) -> str: ...


def run(options: argparse.Namespace) -> int:
    """List or play scenarios; returns the exit code: 1 where one did not come out as expected."""
    log_to_stderr(logging.WARNING if options.verbose else logging.CRITICAL)
    try:
        paths = _found(options.name, options.library)
        if options.name == "list":
            for path in paths:
                print(f"{path.stem:32} {load_script(path).title}")
            return 0
        plots = None if options.report is None else _plots()
        good = [_play(path, options.seed, options.report, plots) for path in paths]
    except (ScriptError, ConfigError) as error:
        return fail(str(error))
    if len(good) > 1:
        print(f"{sum(good)} of {len(good)} scenarios came out as expected")
    return 0 if all(good) else 1


def _play(path: Path, seed: int | None, folder: Path | None, plots: _Plots | None) -> bool:
    script = load_script(path)
    try:
        played = play(script, seed)
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from error
    findings = judge(script, played)
    print(summary(path.stem, script, played, findings), flush=True)
    if folder is not None and plots is not None:
        _write(path.stem, script, played, findings, folder=folder, plots=plots)
    return passed(findings)


def _write(
    name: str,
    script: Script,
    played: Played,
    findings: Sequence[Finding],
    *,
    folder: Path,
    plots: _Plots,
) -> None:
    figure = plots.draw(script, played)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        plots.write_png(figure, folder / f"{name}.png")
        text = page(name, script, played, findings, plots.as_svg(figure))
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScriptError(f"{folder}: the report cannot be written: {error.strerror}") from error


def _plots() -> _Plots:
    try:
        return cast("_Plots", import_module("hems.scenarios.plots"))
    except ModuleNotFoundError as error:
        raise ScriptError(
            f"a report is drawn by {error.name}, which is not installed: install hems[scenarios]"
        ) from error


def _found(name: str, library: Path) -> Sequence[Path]:
    """Return the scenarios that are meant.

    Raises:
        ScriptError: There are none.
    """
    if name in {"list", "all"}:
        found = sorted(library.glob("*.toml"))
        if not found:
            raise ScriptError(f"{library}: no scenario is there; --library names another folder")
        return found
    for path in (library / f"{name}.toml", Path(name)):
        if path.suffix == ".toml" and path.is_file():
            return [path]
    raise ScriptError(f"there is no scenario {name!r}: neither in {library} nor as a file")
