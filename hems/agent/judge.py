"""Whether the hub can be relied on, by what its agent says: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from certs.agent.boot import differing
from der.sentence import say
from hems.agent.letters import State
from hems.security_event import EventKind

SILENT_S: Final = 30.0
"""An agent that says nothing for so long has stopped, or was stopped."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered over restarts.

    Attributes:
        number: Of the newest manifest that was in use; 0 for none.
        boot: How the machine started when that was first seen, by register.
        key: Of the TPM that said so, hex digits; empty where none did.
    """

    number: int = 0
    boot: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the hub cannot be relied on.

    Attributes:
        kind: Of what kind.
        text: In one sentence.
        about: What it concerns: "agent", "package", "boot".
    """

    kind: EventKind
    text: str
    about: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The agent's last word.

    Attributes:
        state: What it said.
        quote_error: Why what the TPM says proves nothing; empty if it does, or nothing was said.
    """

    state: State
    quote_error: str = ""


def troubles(
    heard: Heard | None, silent_s: float, memory: Memory, *, boot: bool
) -> tuple[Trouble, ...]:
    """Return why the hub cannot be relied on, the gravest first; nothing where it can.

    Args:
        heard: The agent's last word; None for none yet.
        silent_s: How long ago that was, or since when it is waited for.
        memory: What is remembered.
        boot: Whether the machine's start is measured.
    """
    if silent_s > SILENT_S:
        return (_silent(),)
    if heard is None:
        return ()
    found = _of_manifest(heard.state, memory) or _of_files(heard.state)
    return (*found, *(_of_boot(heard, memory) if boot else ()))


def counting(before: Heard | None, heard: Heard, memory: Memory, *, boot: bool) -> Heard:
    """Return which word counts: that of now, or one before it.

    An agent that was just started has seen next to nothing; what was found before it holds until it
    has. Else whoever killed it would make the hub reliable again, for a while and as often as that
    is done.

    Args:
        before: The word that counted until now; None for none.
        heard: The agent's last one.
        memory: What is remembered.
        boot: Whether the machine's start is measured.
    """
    whole = heard.state.checked and (heard.state.boot is not None or not boot)
    if before is None or whole or troubles(heard, 0.0, memory, boot=boot):
        return heard
    return before if troubles(before, 0.0, memory, boot=boot) else heard


def _silent() -> Trouble:
    return Trouble(
        EventKind.AGENT_SILENT,
        say("The software agent, which watches over this hub, does not answer."),
        "agent",
    )


def _of_manifest(state: State, memory: Memory) -> tuple[Trouble, ...]:
    if state.error:
        said = say("This hub's software cannot be checked: {why}", why=state.error)
        return (Trouble(EventKind.PACKAGE_TAMPERED, said, "package"),)
    manifest = state.manifest
    if manifest is not None and manifest.number < memory.number:
        said = say(
            "This hub's software is an old version that was put in the place of a newer one: its "
            "list of files is number {number}, and number {newest} was in use already.",
            number=manifest.number,
            newest=memory.number,
        )
        return (Trouble(EventKind.PACKAGE_TAMPERED, said, "package"),)
    return ()


def _of_files(state: State) -> tuple[Trouble, ...]:
    if not state.wrong or state.manifest is None:
        return ()
    first, publisher = state.wrong[0], state.manifest.publisher
    if state.count == 1:
        said = say(
            "This hub's software is not what {publisher} signed: {file} was {what}.",
            publisher=publisher,
            file=first.path,
            what=_what(first.what.value),
        )
    else:
        said = say(
            "This hub's software is not what {publisher} signed: {count} files differ, the first "
            "is {file}.",
            publisher=publisher,
            count=state.count,
            file=first.path,
        )
    return (Trouble(EventKind.PACKAGE_TAMPERED, said, "package"),)


def _what(what: str) -> str:
    return {
        "changed": say("changed"),
        "missing": say("removed"),
        "added": say("added"),
        "unreadable": say("made unreadable"),
    }[what]


def _of_boot(heard: Heard, memory: Memory) -> tuple[Trouble, ...]:
    boot, manifest = heard.state.boot, heard.state.manifest
    if boot is None:
        return ()
    why = boot.error or heard.quote_error
    if why:
        said = say("How this hub's machine has started cannot be checked: {why}", why=why)
        return (Trouble(EventKind.BOOT_CHANGED, said, "boot"),)
    if memory.key and boot.key != memory.key:
        said = say("This hub's security chip is not the one that it had before.")
        return (Trouble(EventKind.BOOT_CHANGED, said, "boot"),)
    meant = {**memory.boot, **(manifest.boot if manifest is not None else {})}
    registers = differing(meant, boot.registers)
    if not registers:
        return ()
    said = say(
        "This hub's machine has started another way than before (registers {registers} of its "
        "security chip).",
        registers=", ".join(str(each) for each in registers),
    )
    return (Trouble(EventKind.BOOT_CHANGED, said, "boot"),)


def remembered(heard: Heard, memory: Memory) -> Memory:
    """Return what is to be remembered once this was heard.

    A manifest counts as in use once all files were found as it has them; how the machine starts is
    taken as it is when it is first told with proof.

    Args:
        heard: The agent's last word.
        memory: What is remembered now.
    """
    state, boot = heard.state, heard.state.boot
    number, registers, key = memory.number, memory.boot, memory.key
    if state.manifest is not None and state.checked and not state.wrong and not state.error:
        number = max(number, state.manifest.number)
    if boot is not None and boot.registers and not (boot.error or heard.quote_error or key):
        registers, key = dict(boot.registers), boot.key
    return Memory(number, registers, key)
