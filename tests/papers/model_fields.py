"""What pydantic models say of their fields, for the pages of settings: read from the code itself.

A field's description is the string below it, as the whole tree writes it; pydantic keeps none of
these, for a hub has no use for them in its memory.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model.

    Attributes:
        model: The model that it is a field of.
        key: Its name in the file.
        info: What pydantic knows of it.
        described: The string below it; empty where there is none.
    """

    model: type[BaseModel]
    key: str
    info: FieldInfo
    described: str

    @property
    def hint(self) -> object:
        """Its type with all that was annotated."""
        hint = self.info.annotation
        return Annotated[hint, *self.info.metadata] if self.info.metadata else hint

    @property
    def table(self) -> type[BaseModel] | None:
        """The model of the tables that it holds; None where it holds a value."""
        found = [each for each in parts(self.hint) if isinstance(each, type)]
        return next((each for each in found if issubclass(each, BaseModel)), None)

    @property
    def many(self) -> bool:
        """Whether it holds a list."""
        return any(
            get_origin(each) is tuple and get_args(each)[1:] == (Ellipsis,)
            for each in alternatives(self.hint)
        )

    @property
    def named(self) -> bool:
        """Whether it holds tables by names that people choose."""
        return any(get_origin(each) is dict for each in alternatives(self.hint))


def fields(model: type[BaseModel]) -> Iterator[Field]:
    """Yield a model's fields, in their order in the code."""
    told: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            told |= _described(base)
    for name, info in model.model_fields.items():
        yield Field(model, info.alias or name, info, told.get(name, ""))


@cache
def _described(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the strings below the fields of a class, each as one line."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    if not isinstance(tree, ast.ClassDef):
        raise TypeError(f"{model} is no class in its source")
    found: dict[str, str] = {}
    for before, after in zip(tree.body, tree.body[1:], strict=False):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found


def alternatives(hint: object) -> Iterator[object]:
    """Yield what a type may be, without what is annotated to it, None left out."""
    if get_origin(hint) is Annotated:
        yield from alternatives(get_args(hint)[0])
    elif get_origin(hint) in {Union, UnionType}:
        for each in get_args(hint):
            yield from alternatives(each)
    elif hint is not NoneType:
        yield hint


def parts(hint: object) -> Iterator[object]:
    """Yield a type and all types within it."""
    for each in alternatives(hint):
        yield each
        if get_origin(each) is not Literal:
            for inner in get_args(each):
                yield from parts(inner)


def annotated(hint: object) -> Iterator[Any]:
    """Yield what is annotated to a type, to its alternatives, and to the members of a list."""
    if get_origin(hint) is Annotated:
        inner, *more = get_args(hint)
        for each in more:
            yield from each.metadata if isinstance(each, FieldInfo) else (each,)
        yield from annotated(inner)
    elif get_origin(hint) is not Literal:
        for each in get_args(hint):
            yield from annotated(each)


def choices(hint: object) -> tuple[object, ...]:
    """Return the values that a type allows by name; none where it names none."""
    found: list[object] = []
    for each in parts(hint):
        if get_origin(each) is Literal:
            found += get_args(each)
        elif isinstance(each, type) and issubclass(each, Enum):
            found += [member.value for member in each]
    return tuple(found)
