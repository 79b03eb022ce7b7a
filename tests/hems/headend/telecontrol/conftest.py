"""A head-end that control centres call, with a home that could do something."""

import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.telecontrol.settings import CentreSettings, TelecontrolSettings
from tests.hems.headend.telecontrol.centre import Centre, calling

TABLE = """\
common,address,type,carries,group,scale,dead_band,period_s,interrogation,minutes,program,amount,direct,value,ends
1,100,M_ME_TF_1,homes,,,,,1,,,,,,
1,101,M_ME_TF_1,homes_reached,,,,,1,,,,,,
1,102,M_ME_TF_1,could_shed_w,,1000,0.5,,2,,,,,,
1,103,M_ME_TF_1,power_w,,1000,,,2,,,,,,
1,104,M_ME_TF_1,delivered_w,,1000,,,,,,,,,
1,105,M_ME_TF_1,homes_answering,,,,,,,,,,,
1,106,M_ME_TF_1,homes,nowhere,,,,,,,,,,
1,110,M_SP_TB_1,event_running,,,,,,,,,,,
1,200,C_SE_NC_1,limit_import_w,,1000,,,,30,,each,,,
1,201,C_SE_NC_1,shed_w,,1000,,,,60,Energy Support,all,yes,,
1,202,C_SE_NC_1,storage_target_w,nowhere,1,,,,15,,each,yes,,
1,210,C_SC_NA_1,end,,,,,,,,,yes,,200
1,211,C_SC_NA_1,limit_export_w,,1000,,,,15,,,yes,1.5,
2,100,M_ME_TF_1,homes,,,,,,,,,,,
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def telecontrol(table: Path) -> TelecontrolSettings:
    centre = CentreSettings(name="scada", addresses=("127.0.0.0/8",), commands=True)
    return TelecontrolSettings(port=0, table=table, centres=(centre,), look_s=1)


@pytest.fixture
def settings(settings: HeadEndSettings, telecontrol: TelecontrolSettings) -> HeadEndSettings:
    # A busy disk is no reason to say no here.
    return settings.model_copy(update={"telecontrol": telecontrol, "busy_timeout_s": 10.0})


@pytest.fixture
async def centre(head_end: HeadEnd) -> AsyncIterator[Centre]:
    """A connection that is started."""
    async with calling(head_end.addresses.telecontrol) as made:
        await made.start()
        yield made


@pytest.fixture
def free_ports() -> list[int]:
    """Three ports that nobody listens at."""
    with ExitStack() as stack:
        made = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        return [each.getsockname()[1] for each in made]
