"""Files that a server offers a device, such as firmware, and how far loading one got."""

from typing import Annotated

from hems.sep2.resources.base import Link, List, Resource
from hems.sep2.resources.wire import (
    Attribute,
    Bits16,
    Hex160,
    Int64,
    String16,
    String32,
    UInt8,
    UInt16,
    UInt32,
    Uri,
    record,
)

__all__ = ["File", "FileList", "FileStatus"]


@record
class File(Resource):
    """A file for devices of one make: where it is, `size` in octets, when to activate it."""

    activate_time: Annotated[Int64 | None, "activateTime"] = None
    file_uri: Annotated[Uri, "fileURI"]
    lfdi: Annotated[Hex160 | None, "lFDI"] = None
    mf_hw_ver: Annotated[String32 | None, "mfHwVer"] = None
    mf_id: Annotated[UInt32, "mfID"]
    mf_model: Annotated[String32, "mfModel"]
    mf_ser_num: Annotated[String32 | None, "mfSerNum"] = None
    mf_ver: Annotated[String16, "mfVer"]
    size: Annotated[UInt32, "size"]
    type: Annotated[Bits16, "type"]


@record
class FileList(List):
    """The files that a server offers; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    file: Annotated[tuple[File, ...], "File"] = ()


@record
class FileStatus(Resource):
    """How far a device got with a file: share loaded in per cent, failures, next attempt.

    `status`: 0 idle, 1 loading, 2 loading failed, 3 verifying the signature, 4 signature wrong,
    5 waiting to activate, 6 activation failed, 7 activating, 8 active. Times in UTC epoch s.
    """

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    activate_time: Annotated[Int64 | None, "activateTime"] = None
    file_link: Annotated[Link | None, "FileLink"] = None
    load_percent: Annotated[UInt8, "loadPercent"]
    next_request_attempt: Annotated[Int64, "nextRequestAttempt"]
    request503_count: Annotated[UInt16, "request503Count"]
    request_fail_count: Annotated[UInt16, "requestFailCount"]
    status: Annotated[UInt8, "status"]
    status_time: Annotated[Int64, "statusTime"]
