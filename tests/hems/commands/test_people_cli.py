"""`hems people` against a running hub: how commands get in once there are accounts."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hems.commands.child import ChildError

GOOD = "correct horse battery"
START_WITHIN_S = 60.0
pytestmark = pytest.mark.requirement("PRV-RBAC")


class Hub:
    """A hub of a new, empty home, and commands to it.

    Attributes:
        folder: The home's.
        url: Its page.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def hems(self, *words: str, home: bool = True, token: str = "") -> tuple[int, str]:
        """Run a command; returns its exit code and what it said."""
        around = {k: v for k, v in os.environ.items() if not k.startswith("HEMS_")}
        if token:
            around["HEMS_TOKEN"] = token
        if home:
            around["HEMS_HOME"] = str(self.folder)
        done = subprocess.run(
            [sys.executable, "-m", "hems", *words],
            env={**around, "PYTHONPATH": str(Path.cwd())},
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder, ready = tmp_path / "home", tmp_path / "ready.json"
    command = [sys.executable, "-m", "hems", "run", "--home", str(folder)]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0", "--ready", str(ready)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Hub(folder, _page(process, ready))
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _page(process: subprocess.Popen[str], ready: Path) -> str:
    assert process.stderr is not None
    for line in process.stderr:  # ends with the process, so a hub that fails ends the wait
        if "set-up code" in line:
            break
    for _ in range(int(START_WITHIN_S / 0.1)):
        if ready.exists():
            told: Mapping[str, str] = json.loads(ready.read_text())
            return told["page"]
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise ChildError("the hub did not start")


@pytest.fixture
def password(hub: Hub, tmp_path: Path) -> Path:
    """Make the home's first account, Ada's; return the file with her password."""
    file = tmp_path / "password"
    file.write_text(f"{GOOD}\nnot this line\n")
    code, said = hub.hems("people", "add", "Ada", "--password-file", str(file))
    assert (code, said.splitlines()[-1]) == (0, "Ada can log in now")
    return file


def test_the_set_up_code_is_told_until_there_is_an_account(hub: Hub, tmp_path: Path) -> None:
    code, said = hub.hems("setup-code")
    assert (code, len(said.strip())) == (0, 9)
    file = tmp_path / "password"
    file.write_text(GOOD)
    assert hub.hems("people", "add", "Ada", "--password-file", str(file))[0] == 0
    assert hub.hems("setup-code")[0] == 1


@pytest.mark.requirement("L1-AGENT")
def test_a_hub_without_an_agent_says_so_when_its_agent_is_asked(hub: Hub) -> None:
    for what in ("measure", "accept-boot"):
        code, said = hub.hems("agent", what, "--url", hub.url)
        assert (code, said) == (1, "hems: This hub has no software agent.\n")


@pytest.mark.usefixtures("password")
def test_commands_get_in_as_the_hub_s_user_or_not_at_all(hub: Hub) -> None:
    code, said = hub.hems("people")
    assert code == 0
    assert said.startswith("Ada ")
    assert hub.hems("status", "--url", hub.url)[0] == 0

    code, said = hub.hems("status", "--url", hub.url, home=False)
    assert code == 1
    assert "run the command as the hub's user" in said
    code, said = hub.hems("people", "--url", hub.url, home=False)
    assert code == 1
    assert said.startswith("hems: Log in to do this. This home has accounts: ")


@pytest.mark.usefixtures("password")
def test_a_token_gets_in_as_far_as_its_role_and_until_it_ends(hub: Hub) -> None:
    code, token = hub.hems("people", "token", "meter reader", "--role", "household")
    assert code == 0
    token = token.strip()
    assert hub.hems("status", "--url", hub.url, home=False, token=token)[0] == 0
    code, said = hub.hems("people", "--url", hub.url, home=False, token=token)
    lacking = 'hems: This token does not hold the right that this takes: "audit".\n'
    assert (code, said) == (1, lacking)
    assert hub.hems("people", "token", "meter reader", "--role", "owner", "--end")[0] == 0
    assert hub.hems("status", "--url", hub.url, home=False, token=token)[0] == 1


def test_consents_and_tokens_that_may_do_less_are_listed_and_end(hub: Hub, password: Path) -> None:
    add = ("people", "add", "Pia", "--role", "provider", "--password-file", str(password))
    assert hub.hems(*add)[0] == 0
    consent = ("people", "consent", "Pia", "--purpose", "flexibility", "--rights", "history,agree")
    assert hub.hems(*consent)[0] == 0
    scoped = ("--role", "provider", "--rights", "history", "--network", "127.0.0.0/8")
    assert hub.hems("people", "token", "app", *scoped, "--of", "Pia")[0] == 0
    said = hub.hems("people")[1]
    assert "history from 127.0.0.0/8" in said
    assert "flexibility" in said
    assert hub.hems("people", "consent", "Pia", "--end")[0] == 0
    assert "flexibility" not in hub.hems("people")[1]


def test_a_reset_stands_in_the_trail_and_the_trail_is_whole(hub: Hub, password: Path) -> None:
    code, said = hub.hems("people", "reset", "Ada", "--password-file", str(password))
    assert code == 0
    assert "logged out everywhere" in said
    code, said = hub.hems("people", "audit", "--verify")
    assert code == 0
    link = said.split()[-1]
    assert hub.hems("people", "audit", "--verify", "--link", link)[0] == 0
    assert hub.hems("people", "audit", "--verify", "--link", "ab" * 32)[0] == 1
    code, said = hub.hems("people", "audit")
    assert "POST /api/people/{person}/recover Ada" in said
    assert GOOD not in said
    code, said = hub.hems("security")
    assert code == 0, "without more it is the log"
    assert "The account of Ada was recovered" in said


@pytest.mark.usefixtures("password")
def test_a_token_file_that_others_can_read_lets_nobody_in(hub: Hub) -> None:
    (hub.folder / ".devices.toml.token").chmod(0o644)
    code, said = hub.hems("status", "--url", hub.url)
    assert code == 1
    assert "others can read it" in said
