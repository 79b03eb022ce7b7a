"""Changing settings on the page: checked as a whole before anything is written."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from der.sentence import say
from hems.settings import settings_file
from hems.settings.config import Config, by_person, load
from hems.settings.settings_file import Table, Value
from hems.settings.toml_file import ConfigError
from hems.setup.fields import BY_KEY, Given, written


class SettingsError(Exception):
    """A setting cannot be taken; `str()` says why, for who fills it in."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one field.

    Attributes:
        key: The setting; empty for all of them together.
        said: In one sentence.
    """

    key: str
    said: str


@dataclass(slots=True)
class Editor:
    """The settings file of one home.

    Attributes:
        path: The home's configuration file, which a person may have written.
        now: UTC epoch seconds.
    """

    path: Path
    now: Callable[[], float] = time.time

    @property
    def config(self) -> Config:
        """What the files say now.

        Raises:
            ConfigError: They cannot be used.
        """
        return load(self.path)

    @property
    def by_hand(self) -> bool:
        """Whether a person has written a configuration."""
        return self.path.exists()

    def fixed(self, key: str) -> bool:
        """Return whether a person's file has a setting, so that the page cannot change it."""
        return settings_file.fixed(by_person(self.path), key)

    def said(self, key: str) -> bool:
        """Return whether the page has set something, however it was set."""
        section, _, name = key.partition(".")
        inner = self._on_page().get(section)
        return name in inner if isinstance(inner, dict) else False

    def change(self, given: Mapping[str, Given]) -> Sequence[Mistake]:
        """Take settings, all or none of them.

        Args:
            given: By key; None puts the default in its place.

        Returns:
            What is wrong with which; nothing is written then.

        Raises:
            ConfigError: The files cannot be read or written.
        """
        wanted, mistakes = self._on_page(), []
        for key, value in given.items():
            setting = BY_KEY.get(key)
            if setting is None:
                mistakes.append(Mistake(key, say("The page cannot change this setting.")))
                continue
            if self.fixed(key):
                mistakes.append(Mistake(key, _FIXED))
                continue
            try:
                _put(wanted, setting.section, setting.name, written(setting, value))
            except ValueError as error:
                mistakes.append(Mistake(key, say("It has to be {what}.", what=str(error))))
        return mistakes or self._take(wanted)

    def put(self, section: str, table: Value | None) -> Sequence[Mistake]:
        """Take a section as a whole; None for none.

        Returns:
            What is wrong with it; nothing is written then.

        Raises:
            ConfigError: The files cannot be read or written.
        """
        if self.fixed(section):
            return [Mistake(section, _FIXED)]
        wanted = self._on_page()
        if table is None:
            wanted.pop(section, None)
        else:
            wanted[section] = table
        return self._take(wanted)

    def versions(self) -> Sequence[settings_file.Version]:
        """Return the versions that were replaced, the last one first."""
        return settings_file.versions(settings_file.place(self.path))

    def go_back(self, number: int) -> Sequence[Mistake]:
        """Take a former version again; the present one is kept as one.

        Raises:
            SettingsError: It is not kept any more.
            ConfigError: The files cannot be read or written.
        """
        found = settings_file.version(settings_file.place(self.path), number)
        if found is None:
            raise SettingsError(say("This version of the settings is not kept any more."))
        return self._take(found)

    def _on_page(self) -> Table:
        return settings_file.read(settings_file.place(self.path))

    def _take(self, wanted: Table) -> Sequence[Mistake]:
        try:
            load(self.path, set_=wanted)
        except ConfigError as error:
            files = (self.path, settings_file.place(self.path))
            return [_mistake(line, files) for line in str(error).splitlines()]
        if wanted != self._on_page():
            settings_file.write(settings_file.place(self.path), wanted, self.now())
        return []


_FIXED = say("A person has written this into hems.toml; it can only be changed there.")


def _put(table: Table, section: str, name: str, value: Value | None) -> None:
    """Put a value into a section; None takes it out."""
    inner = table.get(section)
    changed = dict(inner) if isinstance(inner, dict) else {}
    if value is None:
        changed.pop(name, None)
    else:
        changed[name] = value
    if changed:
        table[section] = changed
    else:
        table.pop(section, None)


def _mistake(line: str, files: Sequence[Path]) -> Mistake:
    """Return a mistake as the configuration names it: file, place, reason."""
    for file in files:
        line = line.removeprefix(f"{file}: ")
    place, _, reason = line.partition(": ")
    if not reason or " " in place:
        return Mistake("", f"{line[:1].upper()}{line[1:]}.")
    return Mistake(place, f"{reason[:1].upper()}{reason[1:]}.")
