"""The list of parts: whole, valid, the same each time, and the kept page is up to date."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.supply import adopted, page
from tests.supply.parts import (
    PAGE_LOCK,
    PYTHON_LOCK,
    Ecosystem,
    Part,
    Use,
    all_parts,
    page_parts,
    python_parts,
)
from tests.supply.sbom import sbom, time_of

pytestmark = pytest.mark.requirement("LC-SBOM")

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOCK = f"""\
shipped==1.0 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via
    #   hems (pyproject.toml)
    #   tool
below==2.0 \\
    --hash=sha256:{"c" * 64}
    # via shipped
some==3.0 \\
    --hash=sha256:{"d" * 64}
    # via hems (pyproject.toml)
tool==4.0 \\
    --hash=sha256:{"e" * 64}
    # via hems (pyproject.toml)
"""
PROJECT = b"""\
[project]
dependencies = ["shipped>=1"]
[project.optional-dependencies]
extra = ["some>=3"]
dev = ["tool>=4", "some>=3"]
"""


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    return all_parts()


@pytest.fixture(scope="module")
def made(parts: list[Part]) -> str:
    return sbom(parts, adopted.brought_up({}, parts, AT.date()), AT)


def test_each_part_of_the_lock_files_is_in_it_with_version_licence_day_and_hash(
    parts: list[Part], made: str
) -> None:
    document: dict[str, Any] = json.loads(made)
    listed = {each["purl"] for each in document["components"]}
    assert len(listed) == len(parts) == len(document["components"])
    pinned = PYTHON_LOCK.read_text(encoding="utf-8")
    assert sum(line[:1].isalnum() and "==" in line for line in pinned.splitlines()) == sum(
        part.ecosystem is Ecosystem.PYPI and part.name != "tpm2-pytss" for part in parts
    )
    for each in document["components"]:
        assert each["version"]
        assert each["scope"] in {"required", "optional", "excluded"}
        assert each["properties"] == [{"name": "hems:in-lock-since", "value": "2026-03-01"}]
        assert each["externalReferences"][0]["hashes"], each["purl"]
    unlicensed = {each["name"] for each in document["components"] if "licenses" not in each}
    assert unlicensed <= {"atheris", "sqlcipher3", "tpm2-pytss"}, "these state none themselves"


def test_it_keeps_to_the_schema(made: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made) is None
    document = json.loads(made)
    document["components"][0]["type"] = "sandwich"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is not None


def test_it_says_who_needs_whom(made: str) -> None:
    needs = {each["ref"]: each.get("dependsOn", []) for each in json.loads(made)["dependencies"]}
    own = next(ref for ref in needs if ref.startswith("pkg:generic/hems@"))
    assert any(ref.startswith("pkg:pypi/aiohttp@") for ref in needs[own])
    aiohttp = next(ref for ref in needs if ref.startswith("pkg:pypi/aiohttp@"))
    assert any(ref.startswith("pkg:pypi/yarl@") for ref in needs[aiohttp])


def test_the_same_parts_make_the_same_octets_and_others_another_number(
    parts: list[Part], made: str
) -> None:
    since = adopted.brought_up({}, parts, AT.date())
    assert sbom(list(reversed(parts)), since, AT) == made
    fewer = json.loads(sbom(parts[1:], since, AT))
    assert fewer["serialNumber"] != json.loads(made)["serialNumber"]


def test_the_kept_page_and_days_are_those_of_the_lock_files(parts: list[Part]) -> None:
    since = adopted.read()
    missing = {adopted.key(part) for part in parts} ^ since.keys()
    assert not missing, "the lock files have changed: make sbom"
    assert page.FILE.read_text(encoding="utf-8") == page.render(parts, since, page.reasons()), (
        "make sbom"
    )


def test_it_is_said_why_each_part_is_asked_for(parts: list[Part]) -> None:
    direct = {f"{part.ecosystem}/{part.name}" for part in parts if part.direct}
    assert direct == set(page.reasons()), "docs/security/parts.toml"


def test_what_a_part_is_needed_for_follows_from_who_asks_for_it() -> None:
    found = {part.name: part for part in python_parts(LOCK, PROJECT)}
    assert {name: part.use for name, part in found.items()} == {
        "shipped": Use.SHIPPED,
        "below": Use.SHIPPED,
        "some": Use.OPTIONAL,
        "tool": Use.TOOL,
    }
    assert found["shipped"].needed_by == ("tool",)
    assert found["below"].needed_by == ("shipped",)
    assert [part.direct for part in found.values()] == [True, False, True, True]
    assert found["shipped"].hashes == (("SHA-256", "a" * 64), ("SHA-256", "b" * 64))


def test_parts_of_the_page_are_told_from_its_tools() -> None:
    found = {part.name: part for part in page_parts(PAGE_LOCK.read_bytes())}
    assert found["vue"].use is Use.SHIPPED
    assert found["vue"].direct
    assert found["vitest"].use is Use.TOOL
    assert found["@vue/shared"].needed_by
    assert found["vue"].hashes[0][0] == "SHA-512"
    assert len(found["vue"].hashes[0][1]) == 128
    assert all(part.use is Use.TOOL for part in page_parts(PAGE_LOCK.read_bytes(), tools=True))


def test_days_are_kept_for_as_long_as_a_version_stays(tmp_path: Path) -> None:
    parts = list(python_parts(LOCK, PROJECT))
    file = tmp_path / "adopted.json"
    assert adopted.read(file) == {}
    adopted.write(adopted.brought_up({}, parts, date(2026, 3, 1)), file)
    later = LOCK.replace("below==2.0", "below==2.1").partition("some==")[0]
    kept = adopted.brought_up(adopted.read(file), python_parts(later, PROJECT), date(2026, 4, 1))
    assert kept == {"pypi/shipped@1.0": "2026-03-01", "pypi/below@2.1": "2026-04-01"}


def test_the_time_is_the_one_asked_for_or_the_commit_s(tmp_path: Path) -> None:
    assert time_of("1772366400") == AT
    with pytest.raises(ValueError, match="invalid literal"):
        time_of("yesterday")
    with pytest.raises(OSError, match="SOURCE_DATE_EPOCH"):
        time_of(None, tmp_path)
