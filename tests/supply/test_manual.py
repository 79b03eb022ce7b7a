"""The manual page hems(1) names every command."""

import argparse
import re
from datetime import UTC, datetime

from hems import cli
from tests.supply.manual import commands, manual

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_every_command_is_named() -> None:
    page = manual(cli._parser(), "1.2", AT)
    named = re.findall(r"(?m)^\.B hems ([^ \n]+)$", page)
    assert {each.replace(r"\-", "-") for each in named} >= {"run", "headend", "status", "backup"}
    assert len(named) == len(commands(cli._parser()))
    assert '"2026-03-01" "hems 1.2"' in page


def test_words_are_no_orders_to_roff() -> None:
    parser = argparse.ArgumentParser()
    parser.add_subparsers().add_parser("a-b", help=".so /etc/passwd \\- c")
    page = manual(parser, "1", AT)
    assert ".B hems a\\-b\n\\&.so /etc/passwd \\e\\- c\n" in page
