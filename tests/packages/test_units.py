"""The units as systemd itself judges them: sound, and sealed off."""

import asyncio
import configparser
import re
import shutil
from pathlib import Path
from typing import Final

from tests.supply.parts import ROOT

FOLDER: Final = ROOT / "packaging" / "debian"
MOST: Final = 3.0
"""Of the exposure that systemd-analyze works out, 0 to 10."""


async def analyzed(*arguments: str | Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "systemd-analyze",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def placed(folder: Path) -> list[Path]:
    """Put the units where systemd would have them, under the names that it has for them."""
    made = []
    for each in FOLDER.glob("*.service"):
        name = each.name.removeprefix("hems.") if each.name.count(".") > 1 else each.name
        made.append(folder / name)
        shutil.copy(each, made[-1])
    assert len(made) == 6
    return sorted(made)


def said(unit: Path) -> configparser.SectionProxy:
    read = configparser.RawConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[method-assign,assignment] # as configparser documents it
    read.read(unit, encoding="utf-8")
    return read["Service"]


def given_back(unit: Path) -> set[str]:
    """Return the calls of the kernel that a unit allows after all that it forbids."""
    filters = re.findall(r"(?m)^SystemCallFilter=(.*)$", unit.read_text(encoding="utf-8"))
    taken_away = max(place for place, each in enumerate(filters) if each.startswith("~"))
    return {call for each in filters[taken_away + 1 :] for call in each.split()}


async def test_each_unit_is_sealed_off(tmp_path: Path) -> None:
    for unit in placed(tmp_path):
        _, told = await analyzed("security", "--offline=true", "--no-pager", unit)
        found = re.search(r"Overall exposure level for (\S+): ([0-9.]+)", told)
        assert found is not None, told
        assert float(found[2]) < MOST, told


async def test_systemd_understands_every_line(tmp_path: Path) -> None:
    program = tmp_path / "root" / "opt" / "hems" / "bin" / "hems"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    shutil.copy(program, program.with_name("python"))
    units = tmp_path / "root" / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for unit in placed(units):
        lines = unit.read_text(encoding="utf-8").replace("/opt/hems", str(program.parents[1]))
        lines = lines.replace("/var/lib/hems-software/current", str(program.parents[1]))
        unit.write_text(lines.replace("Documentation=man:hems(1) ", "Documentation="))
        code, told = await analyzed("verify", "--man=no", "--recursive-errors=no", unit)
        assert (code, told) == (0, "")


def test_the_guard_outlives_the_hub_and_the_planner_may_die(tmp_path: Path) -> None:
    hub = said(next(each for each in placed(tmp_path) if each.name == "hems.service"))
    assert (hub["Type"], hub["KillMode"], hub["OOMPolicy"]) == ("notify", "process", "continue")
    assert (hub["Restart"], hub["RestartPreventExitStatus"]) == ("always", "2 78")
    assert "WatchdogSec" in hub


def test_the_hub_may_ask_the_kernel_how_the_clock_is_kept_and_never_set_it(tmp_path: Path) -> None:
    hub = next(each for each in placed(tmp_path) if each.name == "hems.service")
    assert (said(hub)["ProtectClock"], said(hub)["CapabilityBoundingSet"]) == ("no", "")
    assert {"adjtimex", "clock_adjtime"} <= given_back(hub)


def test_the_agent_may_step_back_behind_the_hub(tmp_path: Path) -> None:
    """By `os.nice`, before anything else (`certs.agent`)."""
    agent = next(each for each in placed(tmp_path) if each.name == "hems-agent.service")
    assert "setpriority" in given_back(agent)


def test_the_server_may_have_as_many_lines_as_it_has_homes(tmp_path: Path) -> None:
    server = next(each for each in placed(tmp_path) if each.name == "hems-headend.service")
    assert int(said(server)["LimitNOFILE"]) >= 10_000


def test_a_plain_and_a_sealed_secret_have_names_of_their_own(tmp_path: Path) -> None:
    """Of one name systemd takes the last line, and a plain secret for a sealed one."""
    hub = said(next(each for each in placed(tmp_path) if each.name == "hems.service"))
    names = [hub["LoadCredential"], hub["LoadCredentialEncrypted"]]
    assert len(set(names)) == len(names)
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    for folder, name in zip(("credstore", "credstore.encrypted"), names, strict=True):
        assert f"`/etc/{folder}/{name}`" in install


def test_each_unit_is_bounded_and_may_never_gain_rights(tmp_path: Path) -> None:
    for unit in placed(tmp_path):
        service = said(unit)
        for bound in ("MemoryMax", "TasksMax", "CPUQuota", "RestrictAddressFamilies"):
            assert service[bound], unit.name
        assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict")
        rights = service["CapabilityBoundingSet"]
        assert ("CAP_NET_ADMIN" in rights) == (unit.name == "hems-firewall.service")
