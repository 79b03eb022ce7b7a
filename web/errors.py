"""What can go wrong with the page.

    WebError
    ├── AddressError   the address to serve on cannot be had: in use, not this machine's, forbidden
    └── SettingsError  a setting makes no sense: unknown time zone, no such name

What a visitor does wrong never raises out of the server: it is answered with a status code and
one sentence (see `web.answers`).
"""


class WebError(Exception):
    """Base of all errors of the page; `str()` is one sentence that names what and where."""


class AddressError(WebError):
    """The page cannot listen on the address that it was given."""


class SettingsError(WebError):
    """A setting of the page makes no sense."""
