"""Installed files against their list: whatever is done to them is found, and that it is undone."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.agent.tree import FULL_S, Listed, Scope, Tree, What, Wrong
from tests.certs.agent.installed import flip

pytestmark = pytest.mark.requirement("L1-TAMPER")


def listed(top: Path) -> dict[str, Listed]:
    """Return what a folder holds now."""
    found: dict[str, dict[str, tuple[int, bytes]]] = {}
    for path in top.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            entry = (len(content), hashlib.sha256(content).digest())
            found.setdefault(str(path.parent), {})[path.name] = entry
    return dict(found)


def made(top: Path) -> Path:
    (top / "inner" / "deep").mkdir(parents=True)
    for name in ("a.py", "b.py", "inner/c.py", "inner/deep/d.py"):
        (top / name).write_text(f"# {name}\nLIMIT_W = 5_000\n")
    return top


def swept(tree: Tree, now: float = 0.0) -> list[Wrong]:
    for _ in tree.sweep(now):
        pass
    return tree.wrong


def link(path: Path) -> None:
    twin = path.with_name("twin")
    path.rename(twin)
    path.symlink_to(twin)


def grow(path: Path) -> None:
    path.write_text(path.read_text() + "#")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("do", "what"),
    [
        (flip, What.CHANGED),
        (grow, What.CHANGED),
        (Path.unlink, What.MISSING),
        (pipe, What.CHANGED),
        (lambda path: path.with_name("x.py").write_text(""), What.ADDED),
        (lambda path: path.with_name("x.pyc").write_bytes(b""), What.ADDED),
        (lambda path: path.with_name("x").symlink_to("/"), What.ADDED),
        (lambda path: shutil.rmtree(path.parent), What.MISSING),
    ],
)
@pytest.mark.parametrize("name", ["a.py", "inner/c.py", "inner/deep/d.py"])
def test_whatever_is_done_is_found(
    tmp_path: Path, name: str, do: Callable[[Path], object], what: What
) -> None:
    top = made(tmp_path / "hems")
    tree = Tree(Scope([str(top)], listed(top)))
    assert swept(tree) == []
    do(top / name)
    assert what in {each.what for each in swept(tree, 10.0)}
    shutil.rmtree(top, ignore_errors=True)
    made(top)
    assert swept(tree, 20.0) == []


def test_a_link_to_the_same_content_is_a_file_too_many(tmp_path: Path) -> None:
    top = made(tmp_path / "hems")
    tree = Tree(Scope([str(top)], listed(top)))
    link(top / "a.py")
    assert swept(tree) == [Wrong(f"{top}/twin", What.ADDED)]


def test_the_target_of_a_link_is_watched(tmp_path: Path) -> None:
    top, target = made(tmp_path / "hems"), tmp_path / "elsewhere"
    (top / "a.py").rename(target)
    (top / "a.py").symlink_to(target)
    tree = Tree(Scope([str(top)], listed(top)))
    assert swept(tree) == []
    flip(target)
    assert swept(tree, 10.0) == [Wrong(f"{top}/a.py", What.CHANGED)]


def test_files_are_read_again_only_where_something_happened(tmp_path: Path) -> None:
    top = made(tmp_path / "hems")
    tree = Tree(Scope([str(top)], listed(top)))
    assert list(tree.sweep(0.0)) == [True, True, True]
    assert list(tree.sweep(10.0)) == [False, False, False]
    flip(top / "inner" / "c.py")
    assert list(tree.sweep(20.0)) == [False, True, False]
    assert all(tree.sweep(30.0 + FULL_S)), "and all of them once an hour"
    tree.forget()
    assert all(tree.sweep(40.0 + FULL_S))


def test_compiled_files_are_looked_at_where_they_are_listed(tmp_path: Path) -> None:
    top = made(tmp_path / "hems")
    cache = top / "__pycache__"
    cache.mkdir()
    (cache / "a.cpython-311.pyc").write_bytes(b"code of a")
    without = {f: e for f, e in listed(top).items() if f != str(cache)}
    assert swept(Tree(Scope([str(top)], without))) == []
    assert swept(Tree(Scope([str(top)], without, compiled=True))) != []
    tree = Tree(Scope([str(top)], listed(top), compiled=True))
    assert swept(tree) == []
    flip(cache / "a.cpython-311.pyc")
    assert [each.what for each in swept(tree, 10.0)] == [What.CHANGED]


def test_an_open_list_minds_its_own_files_alone(tmp_path: Path) -> None:
    top = made(tmp_path / "site")
    tree = Tree(Scope([str(top)], listed(top), closed=False))
    (top / "another.py").write_text("")
    assert swept(tree) == []
    flip(top / "a.py")
    assert [each.path for each in swept(tree, 10.0)] == [f"{top}/a.py"]


@pytest.mark.parametrize(
    "name", ["zz.pth", "sitecustomize.py", "usercustomize.abi3.so", "sitecustomize/__init__.py"]
)
def test_not_even_an_open_list_lets_in_what_runs_whenever_python_starts(
    tmp_path: Path, name: str
) -> None:
    top = made(tmp_path / "site")
    (top / "of-a-part.pth").write_text("import a")
    tree = Tree(Scope([str(top)], listed(top), closed=False))
    assert swept(tree) == []
    (top / "inner" / "deep" / "no-one-reads.pth").write_text("import os")
    assert swept(tree, 10.0) == []
    (top / name).parent.mkdir(exist_ok=True)
    (top / name).write_text("import os")
    assert swept(tree, 20.0) == [Wrong(f"{top}/{name}", What.ADDED)]
    (top / name).unlink()
    assert swept(tree, 30.0) == []


FILES = st.dictionaries(
    st.sampled_from(["a", "b", "in/c", "in/d", "in/on/e"]), st.binary(max_size=3), max_size=5
)


@given(before=FILES, after=FILES)
def test_what_is_found_is_the_difference(
    tmp_path_factory: pytest.TempPathFactory,
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
) -> None:
    top = tmp_path_factory.mktemp("tree")
    write(top, before)
    tree = Tree(Scope([str(top)], listed(top)))
    assert swept(tree) == []
    for name in before.keys() - after.keys():
        (top / name).unlink()
    write(top, after)
    both = before.keys() | after.keys()
    meant = {
        f"{top}/{name}": What.MISSING
        if name not in after
        else What.ADDED
        if name not in before
        else What.CHANGED
        for name in both
        if before.get(name) != after.get(name)
    }
    assert {each.path: each.what for each in swept(tree, 10.0)} == meant


def write(top: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
