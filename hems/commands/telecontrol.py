"""`hems headend telecontrol --check FILE`: what a mapping table maps, or what is wrong with it."""

from pathlib import Path

from hems.commands.output import fail
from hems.headend.errors import SettingsError
from hems.headend.telecontrol.mapping import judge_file, told_of
from hems.headend.telecontrol.points import END, Commanded, Seen


def run(path: Path) -> int:
    """Read a table; returns the exit code, 1 where a line of it is wrong."""
    try:
        judged = judge_file(path)
    except SettingsError as error:
        return fail(str(error))
    if judged.problems:
        return fail("\n".join(told_of(path, each) for each in judged.problems))
    table = judged.table
    for seen in table.seen.values():
        print(_seen(seen))
    for commanded in table.commanded.values():
        print(_commanded(commanded))
    print(f"{path}: {len(table.seen)} points to see, {len(table.commanded)} to command")
    return 0


def _seen(row: Seen) -> str:
    kind = "M_SP_TB_1" if row.single else "M_ME_TF_1"
    scale = "" if row.single else f", 1 is {row.scale:g}"
    often = f", every {row.period_s:g} s" if row.period_s else ""
    return f"{_place(row)}  {kind}  {row.quantity.value} of {_whose(row.group)}{scale}{often}"


def _commanded(row: Commanded) -> str:
    how = "direct, or selected" if row.direct else "selected first"
    if row.mode is None:
        said = f"{END} what {row.place[0]}/{row.ends} has ordered"
    else:
        amount = "together" if row.shared else "each"
        said = f"{row.mode.value} for {_whose(row.group)}, {amount}, {row.minutes:g} min"
        said += f", 1 is {row.scale:g}" + (f", in {row.program}" if row.program else "")
    return f"{_place(row)}  {row.kind.name}  {said}, {how}"


def _place(row: Seen | Commanded) -> str:
    return f"{row.place[0]}/{row.place[1]}"


def _whose(group: str | None) -> str:
    return "everybody" if group is None else group
