"""What can go wrong with a control centre.

    HeadEndError
    `- TelecontrolError   base of what a control centre breaks; its connection is closed
       |- FrameError      octets that are no frame (APCI)
       |- AsduError       a frame's contents that are no data unit (ASDU)
       `- LinkError       a frame that may not come now, or did not come in time

Each message is one sentence, fit for the log.
"""

from hems.headend.errors import HeadEndError


class TelecontrolError(HeadEndError):
    """A control centre breaks the rules of the protocol."""


class FrameError(TelecontrolError):
    """Octets that are no frame."""


class AsduError(TelecontrolError):
    """A frame's contents that are no data unit."""


class LinkError(TelecontrolError):
    """A frame that may not come now, or one that did not come in time."""
