"""What the owner is told of devices that are not trusted."""

from der.sentence import say
from hems.emg.trust.standing import Blocker, Entry, TrustStanding
from hems.security_event import EventKind


def alarm_words(name: str, entry: Entry) -> str | None:
    """Return what the owner should know as long as a device stands so; None where all is well.

    What somebody of the home has blocked is no trouble.

    Args:
        name: What the owner calls it.
        entry: What is kept of it.
    """
    if entry.standing is TrustStanding.NEW:
        return say("{name} is new: the home steers it once you have approved it.", name=name)
    if entry.standing is TrustStanding.QUARANTINED:
        return say(
            "{name} is in quarantine: {why}. Nothing is said to it, and nothing it says counts, "
            "until that is settled.",
            name=name,
            why=entry.why,
        )
    if Blocker.ENTERPRISE in entry.blocks:
        why = entry.blocks[Blocker.ENTERPRISE]
        return say("The service provider has blocked {name}: {why}.", name=name, why=why)
    return None


def told(kind: EventKind, name: str, why: str = "") -> str:
    """Return what is written down when a device comes to stand otherwise.

    Args:
        kind: What has happened.
        name: What the owner calls the device.
        why: One clause; not needed for what is well.
    """
    match kind:
        case EventKind.DEVICE_NEW:
            return say("{name} is new and waits for approval.", name=name)
        case EventKind.DEVICE_BLOCKED:
            return say("{name} was blocked: {why}.", name=name, why=why)
        case EventKind.DEVICE_CHANGED:
            return say(
                "{name} is another than the one that was trusted: {why}.", name=name, why=why
            )
        case EventKind.DEVICE_QUARANTINED:
            return say("{name} was put in quarantine: {why}.", name=name, why=why)
        case EventKind.RELIABLE_AGAIN:
            return say("{name} is out of quarantine.", name=name)
        case _:
            return say("{name} is trusted from now on.", name=name)


def on_word(text: str, word: str) -> str:
    """Return what is written down with on whose word it was done; empty for nobody's."""
    return say("{what} On the word of {word}.", what=text, word=word) if word else text
