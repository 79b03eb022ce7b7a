"""What the page needs to know before it starts."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from web.days import check_zone
from web.errors import SettingsError

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the page is served.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 takes a free one.
        names: Host names besides this machine's loopback names under which browsers may ask for
            the page ("hub.local"). Any other name is refused, so that a foreign site cannot
            point its own name at the hub (DNS rebinding).
        time_zone: IANA name of the home's time zone, by which days begin; empty for the machine's.
        static_dir: Where the built front end lies.
        heartbeat_s: Seconds after which a silent stream says that it is alive.
        write_timeout_s: Seconds after which a reader that takes nothing is dropped.
        stall_s: How long ago the last control cycle may be before the health check fails, s.
        max_streams: Streams served at once.
        max_body_bytes: Largest request body.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()
    time_zone: str = ""
    static_dir: Path = _STATIC
    heartbeat_s: float = 15.0
    write_timeout_s: float = 30.0
    stall_s: float = 10.0
    max_streams: int = 32
    max_body_bytes: int = 4096

    def __post_init__(self) -> None:
        for name in self.names:
            if not _NAME.fullmatch(name) and not _is_ip(name):
                raise SettingsError(f"web.names: {name!r} is not a host name in lower case")
        check_zone(self.time_zone)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
