"""The name of a 2030.5 device certificate: hardwareModuleName (RFC 4108, clause 5), in DER.

    HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }

It is the value of the SAN's OtherName 1.3.6.1.5.5.7.8.4. Only DER is read: one way to write a
name, or none.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.x509 import ObjectIdentifier, OtherName

from certs import tlv

HARDWARE_MODULE_NAME: Final = ObjectIdentifier("1.3.6.1.5.5.7.8.4")
"""id-on-hardwareModuleName."""


@dataclass(frozen=True, slots=True)
class HardwareName:
    """Which piece of hardware a certificate belongs to.

    Attributes:
        kind: hwType, a dotted object identifier of the manufacturer.
        serial: hwSerialNum, unique within `kind`.
    """

    kind: str
    serial: bytes

    def other_name(self) -> OtherName:
        """Return the name as it stands in a subjectAltName.

        Raises:
            ValueError: `kind` is no object identifier.
        """
        body = tlv.oid(self.kind) + tlv.tlv(tlv.OCTETS, self.serial)
        return OtherName(HARDWARE_MODULE_NAME, tlv.tlv(tlv.SEQUENCE, body))


def read_hardware_name(value: bytes) -> HardwareName:
    """Read the DER value of an OtherName.

    Raises:
        ValueError: It is not a hardwareModuleName, or has an empty serial number.
    """
    body, rest = tlv.take(value, tlv.SEQUENCE)
    if rest:
        raise ValueError("there are bytes behind the hardwareModuleName")
    oid, body = tlv.take(body, tlv.OID)
    serial, body = tlv.take(body, tlv.OCTETS)
    if body:
        raise ValueError("the hardwareModuleName has more than two fields")
    if not serial:
        raise ValueError("hwSerialNum is empty")
    return HardwareName(tlv.read_oid(oid), serial)
