"""Makes records from what was read, at the price of plain objects.

A record sets its fields one by one past its own `__setattr__`, which refuses. Done in Python, for
the fifty fields of a DERControlBase that would be a third of the whole reading. So each class has
a draft: a subclass without fields of its own that can be assigned to, and becomes the record when
its class is set.
"""

from collections.abc import Callable, Sequence
from dataclasses import make_dataclass

from hems.sep2.resources.wire import Record


def draft(cls: type[Record], names: Sequence[str]) -> Callable[..., Record]:
    """Return what makes an instance of a class that still has to be told that it is one.

    Args:
        cls: The class.
        names: Its fields, in the order in which their values will be given.

    Returns:
        Takes the values of all fields. The caller sets `__class__` of the result to `cls` before
        anyone else sees it.
    """
    plain = make_dataclass("plain", names, eq=False, repr=False)
    changes = {
        "__slots__": (),
        "__init__": vars(plain)["__init__"],
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    return type(cls.__name__, (cls,), changes)
