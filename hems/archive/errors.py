"""What can be wrong with a backup, or with erasing a home; `str()` says it for the owner."""


class ArchiveError(Exception):
    """A backup cannot be made, read or put in place."""


class WrongPassphraseError(ArchiveError):
    """The passphrase is not the one that the backup was made with."""


class DamagedError(ArchiveError):
    """The file is no backup, or not a whole one."""


class NewerError(ArchiveError):
    """A newer version of this software made it."""
