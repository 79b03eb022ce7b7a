"""Network interfaces of a device and their counters (network status function set)."""

from typing import Annotated

from hems.sep2.resources.base import Link, List, Resource
from hems.sep2.resources.wire import (
    Attribute,
    Bits8,
    Bits64,
    Hex128,
    Int64,
    Record,
    String16,
    String192,
    UInt8,
    UInt16,
    UInt32,
    record,
)

__all__ = [
    "IEEE_802_15_4",
    "IPAddr",
    "IPAddrList",
    "IPInterface",
    "IPInterfaceList",
    "LLInterface",
    "LLInterfaceList",
    "Neighbor",
    "NeighborList",
    "RPLInstance",
    "RPLInstanceList",
    "RPLSourceRoutes",
    "RPLSourceRoutesList",
    "loWPAN",
]


@record
class IPInterface(Resource):
    """A network interface and its counters; speed in bit/s, times in UTC epoch seconds."""

    if_descr: Annotated[String192 | None, "ifDescr"] = None
    if_high_speed: Annotated[UInt32 | None, "ifHighSpeed"] = None
    if_in_broadcast_pkts: Annotated[UInt32 | None, "ifInBroadcastPkts"] = None
    if_index: Annotated[UInt32 | None, "ifIndex"] = None
    if_in_discards: Annotated[UInt32 | None, "ifInDiscards"] = None
    if_in_errors: Annotated[UInt32 | None, "ifInErrors"] = None
    if_in_multicast_pkts: Annotated[UInt32 | None, "ifInMulticastPkts"] = None
    if_in_octets: Annotated[UInt32 | None, "ifInOctets"] = None
    if_in_ucast_pkts: Annotated[UInt32 | None, "ifInUcastPkts"] = None
    if_in_unknown_protos: Annotated[UInt32 | None, "ifInUnknownProtos"] = None
    if_mtu: Annotated[UInt32 | None, "ifMtu"] = None
    if_name: Annotated[String16 | None, "ifName"] = None
    if_oper_status: Annotated[UInt8 | None, "ifOperStatus"] = None
    if_out_broadcast_pkts: Annotated[UInt32 | None, "ifOutBroadcastPkts"] = None
    if_out_discards: Annotated[UInt32 | None, "ifOutDiscards"] = None
    if_out_errors: Annotated[UInt32 | None, "ifOutErrors"] = None
    if_out_multicast_pkts: Annotated[UInt32 | None, "ifOutMulticastPkts"] = None
    if_out_octets: Annotated[UInt32 | None, "ifOutOctets"] = None
    if_out_ucast_pkts: Annotated[UInt32 | None, "ifOutUcastPkts"] = None
    if_promiscuous_mode: Annotated[bool | None, "ifPromiscuousMode"] = None
    if_speed: Annotated[UInt32 | None, "ifSpeed"] = None
    if_type: Annotated[UInt16 | None, "ifType"] = None
    ip_addr_list_link: Annotated[Link | None, "IPAddrListLink"] = None
    last_reset_time: Annotated[Int64 | None, "lastResetTime"] = None
    last_updated_time: Annotated[Int64 | None, "lastUpdatedTime"] = None
    ll_interface_list_link: Annotated[Link | None, "LLInterfaceListLink"] = None


@record
class IPInterfaceList(List):
    """The interfaces of a device; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    ip_interface: Annotated[tuple[IPInterface, ...], "IPInterface"] = ()


@record
class IPAddr(Resource):
    """An address of an interface: 32 hex digits of IPv6."""

    address: Annotated[Hex128, "address"]
    rpl_instance_list_link: Annotated[Link | None, "RPLInstanceListLink"] = None


@record
class IPAddrList(List):
    """The addresses of an interface."""

    ip_addr: Annotated[tuple[IPAddr, ...], "IPAddr"] = ()


@record
class RPLInstance(Resource):
    """An instance of the routing protocol for low-power networks (RFC 6550)."""

    dodag_id: Annotated[UInt8, "DODAGid"]
    dodag_root: Annotated[bool, "DODAGroot"]
    flags: Annotated[UInt8, "flags"]
    grounded_flag: Annotated[bool, "groundedFlag"]
    mop: Annotated[UInt8, "MOP"]
    prf: Annotated[UInt8, "PRF"]
    rank: Annotated[UInt16, "rank"]
    rpl_instance_id: Annotated[UInt8, "RPLInstanceID"]
    rpl_source_routes_list_link: Annotated[Link | None, "RPLSourceRoutesListLink"] = None
    version_number: Annotated[UInt8, "versionNumber"]


@record
class RPLInstanceList(List):
    """The routing instances of an address."""

    rpl_instance: Annotated[tuple[RPLInstance, ...], "RPLInstance"] = ()


@record
class RPLSourceRoutes(Resource):
    """A route of a routing instance; both addresses are 32 hex digits of IPv6."""

    dest_address: Annotated[Hex128, "DestAddress"]
    source_route: Annotated[Hex128, "SourceRoute"]


@record
class RPLSourceRoutesList(List):
    """The routes of a routing instance."""

    rpl_source_routes: Annotated[tuple[RPLSourceRoutes, ...], "RPLSourceRoutes"] = ()


@record
class IEEE_802_15_4(Record):  # noqa: N801 - the name in the schema
    """The IEEE 802.15.4 side of a link: capabilities, short address, neighbours."""

    capability_info: Annotated[Bits8, "capabilityInfo"]
    neighbor_list_link: Annotated[Link | None, "NeighborListLink"] = None
    short_address: Annotated[UInt16, "shortAddress"]


@record
class loWPAN(Record):  # noqa: N801 - the name in the schema
    """Counters of 6LoWPAN octets, packets and fragmentation errors."""

    octets_rx: Annotated[UInt32 | None, "octetsRx"] = None
    octets_tx: Annotated[UInt32 | None, "octetsTx"] = None
    packets_rx: Annotated[UInt32, "packetsRx"]
    packets_tx: Annotated[UInt32, "packetsTx"]
    rx_frag_error: Annotated[UInt32, "rxFragError"]


@record
class LLInterface(Resource):
    """A link layer and its counters of frames, octets, retries and errors."""

    crc_errors: Annotated[UInt32, "CRCerrors"]
    eui64: Annotated[Bits64, "EUI64"]
    ieee_802_15_4: Annotated[IEEE_802_15_4 | None, "IEEE_802_15_4"] = None
    link_layer_type: Annotated[UInt8, "linkLayerType"]
    ll_ack_not_rx: Annotated[UInt32 | None, "LLAckNotRx"] = None
    llcsma_fail: Annotated[UInt32 | None, "LLCSMAFail"] = None
    ll_frames_drop_rx: Annotated[UInt32 | None, "LLFramesDropRx"] = None
    ll_frames_drop_tx: Annotated[UInt32 | None, "LLFramesDropTx"] = None
    ll_frames_rx: Annotated[UInt32 | None, "LLFramesRx"] = None
    ll_frames_tx: Annotated[UInt32 | None, "LLFramesTx"] = None
    ll_media_access_fail: Annotated[UInt32 | None, "LLMediaAccessFail"] = None
    ll_octets_rx: Annotated[UInt32 | None, "LLOctetsRx"] = None
    ll_octets_tx: Annotated[UInt32 | None, "LLOctetsTx"] = None
    ll_retry_count: Annotated[UInt32 | None, "LLRetryCount"] = None
    ll_security_error_rx: Annotated[UInt32 | None, "LLSecurityErrorRx"] = None
    lowpan: Annotated[loWPAN | None, "loWPAN"] = None


@record
class LLInterfaceList(List):
    """The link layers of an interface."""

    ll_interface: Annotated[tuple[LLInterface, ...], "LLInterface"] = ()


@record
class Neighbor(Resource):
    """A neighbour in an IEEE 802.15.4 network; `link_quality` 0 to 255."""

    is_child: Annotated[bool, "isChild"]
    link_quality: Annotated[UInt8, "linkQuality"]
    short_address: Annotated[UInt16, "shortAddress"]


@record
class NeighborList(List):
    """The neighbours of a device in its IEEE 802.15.4 network."""

    neighbor: Annotated[tuple[Neighbor, ...], "Neighbor"] = ()
