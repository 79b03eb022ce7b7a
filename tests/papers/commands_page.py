"""The page of all commands, from the parser that reads the command line.

`python -m tests.papers.commands_page` (`make pages`) writes `docs/commands.md`.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hems import cli
from tests.traceability import ROOT

PAGE: Final = ROOT / "docs" / "commands.md"
HEAD: Final = """\
# Every command

Written by `make pages` from the parser of the command line; do not edit. `hems COMMAND --help`
says the same at the terminal, and `hems --version` which version this is; in a clone of the
sources `hems` is `.venv/bin/hems`.

Commands for a home speak to the hub that runs on this machine, or read its files (`--config`,
`--home`; [Install](install.md#where-things-are) says where they look otherwise); commands for a
utility (`hems headend`, `hems event` and others with `--operator`) speak to a running head-end.
Quantities carry their unit: `1500W`, `"20 kWh"`, `10min`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it could not be done: one clear sentence on stderr |
| 2 | a wrong command line, or a quantity without or with a wrong unit |
| 78 | `hems run` and `hems headend run`: somebody must mend something first |
| 130 | ended by Ctrl-C |

Where a command's codes mean something else, it is said there.
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group of them.

    Attributes:
        parser: Its parser.
        told: What its list says of it; empty where it says nothing.
    """

    parser: argparse.ArgumentParser
    told: str

    @property
    def name(self) -> str:
        """As it is typed."""
        return self.parser.prog

    @property
    def arguments(self) -> list[argparse.Action]:
        """Its own arguments, without `--help` and the commands below it."""
        apart = (argparse._HelpAction, argparse._SubParsersAction)
        return [each for each in self.parser._actions if not isinstance(each, apart)]


def commands(parser: argparse.ArgumentParser | None = None) -> Iterator[Command]:
    """Yield all commands below a parser, those of a group behind it."""
    for action in (parser or cli._parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            told = {each.dest: each.help or "" for each in action._choices_actions}
            for name, inner in action.choices.items():
                if inner.prog.split()[-1] != name:
                    continue  # another name of one that is there
                yield Command(inner, told.get(name, ""))
                yield from commands(inner)


def undescribed() -> list[str]:
    """Return the commands and arguments that have no help."""
    gone = [each.name for each in commands() if not each.told]
    return gone + [
        f"{command.name} {_typed(argument)}"
        for command in commands()
        for argument in command.arguments
        if not argument.help
    ]


def render() -> str:
    """Return the page as Markdown."""
    found = list(commands())
    top = [each for each in found if each.name.count(" ") == 1]
    lines = [HEAD, "| command | what it does |", "|---|---|"]
    lines += [f"| [`{each.name}`](#{_anchor(each)}) | {_cell(each.told)} |" for each in top]
    for command in found:
        lines += ["", f'<a id="{_anchor(command)}"></a>', ""]
        lines += [f"{'#' * min(command.name.count(' ') + 1, 4)} {command.name}", ""]
        lines += [f"`{_usage(command)}`", "", _sentence(command.told)]
        if command.parser.description:
            lines += ["", _sentence(command.parser.description)]
        if command.arguments:
            lines += ["", "| argument | what it is |", "|---|---|"]
            lines += [_row(command, each) for each in command.arguments]
    return "\n".join(lines) + "\n"


def _usage(command: Command) -> str:
    """Return how it is typed: what must be there, then what may."""
    words = [command.name]
    if any(isinstance(each, argparse._SubParsersAction) for each in command.parser._actions):
        words.append("...")
    for each in command.arguments:
        if not each.option_strings:
            words.append(_typed(each) if each.nargs not in {"?", "*"} else f"[{_typed(each)}]")
        elif each.required:
            words.append(_typed(each))
    if any(each.option_strings and not each.required for each in command.arguments):
        words.append("[options]")
    return " ".join(words)


def _typed(argument: argparse.Action) -> str:
    """Return an argument as it is typed."""
    metavar = argument.metavar if isinstance(argument.metavar, str) else None
    if not argument.option_strings:
        return metavar or argument.dest.upper()
    name = argument.option_strings[-1]
    return name if argument.nargs == 0 else f"{name} {metavar or argument.dest.upper()}"


def _row(command: Command, argument: argparse.Action) -> str:
    said = [_sentence(argument.help or "")]
    if argument.choices is not None:
        said.append("One of " + ", ".join(f"`{each}`" for each in argument.choices) + ".")
    if argument.required and argument.option_strings:
        said.append("**Must be given.**")
    if _has_default(argument):
        said.append(f"Default: `{command.parser.get_default(argument.dest)}`.")
    return f"| `{_typed(argument)}` | {_cell(' '.join(said))} |"


def _has_default(argument: argparse.Action) -> bool:
    """Return whether there is a default that helps; a path of the user's own home does not."""
    value = argument.default
    if isinstance(value, Path):
        return not value.is_absolute()
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _anchor(command: Command) -> str:
    return command.name.replace(" ", "-")


def _sentence(text: str) -> str:
    text = text.replace("%%", "%")
    ends = text[-1:] in {".", "!", "?", ""}
    return (text[:1].upper() + text[1:]) + ("" if ends else ".")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
