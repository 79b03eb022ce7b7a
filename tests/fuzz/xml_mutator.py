"""Changes bodies as trees, which plain changes of octets seldom leave well-formed."""

import random
from collections.abc import Sequence
from copy import deepcopy

from lxml import etree

from hems.sep2.codec.foreign import XSI_TYPE
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, STORAGE_NS

_NAMESPACES = (SEP_NS, SEP_NS, SEP_NS, CSIPAUS_NS, STORAGE_NS, "urn:other")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)


def mutated(data: bytes, words: Sequence[str], rng: random.Random) -> bytes | None:
    """Return a body with a few elements or attributes changed; None if it is no tree at all."""
    try:
        root = etree.fromstring(data, _PARSER)
        if root is None:  # what nothing could be recovered from
            return None
        for _ in range(rng.randint(1, 4)):
            elements = [e for e in root.iter() if isinstance(e.tag, str)]
            _change(rng.choice(elements), elements, words, rng)
        return etree.tostring(root)
    except (etree.LxmlError, UnicodeDecodeError):  # what was recovered may hold illegible octets
        return None


def _change(
    element: etree._Element,
    elements: list[etree._Element],
    words: Sequence[str],
    rng: random.Random,
) -> None:
    parent = element.getparent()
    name = rng.choice([w for w in rng.sample(words, 8) if w.isidentifier()] or ["x"])
    namespace = rng.choice(_NAMESPACES)
    match rng.randrange(8):
        case 0 if parent is not None:
            parent.remove(element)
        case 1 if parent is not None:
            parent.insert(rng.randint(0, len(parent)), _copy(element))
        case 2:
            element.append(_copy(rng.choice(elements)))
        case 3:
            element.tag = f"{{{namespace}}}{name}"
        case 4:
            element.insert(rng.randint(0, len(element)), etree.Element(f"{{{namespace}}}{name}"))
        case 5:
            key = rng.choice((name, f"{{urn:other}}{name}", "disabled", "href"))
            element.set(key, rng.choice(_values(words, rng)))
        case 6:
            element.set(XSI_TYPE, name)
        case _:
            element.text = rng.choice(_values(words, rng))


def _copy(element: etree._Element) -> etree._Element:
    alone = deepcopy(element)
    alone.tail = None
    return alone


def _values(words: Sequence[str], rng: random.Random) -> list[str]:
    number = rng.choice((7, 8, 15, 16, 31, 32, 47, 48, 63, 64))
    about = (1 << number) + rng.randint(-1, 1)
    return [str(about), str(-about), f"{about:X}", f" {rng.randrange(100)} ", rng.choice(words), ""]
