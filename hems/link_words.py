"""What the protocol says of its link, as sentences for people: it knows of none itself. Pure."""

from typing import Final

from der.sentence import Template, say

_HOST: Final = "{host}"
_SAID: Final = (
    Template("connected to {host}"),
    Template("connecting to {host}"),
    Template("{host} has disabled this home"),
    Template("{host} does not list this home any more"),
    Template("{host}: the server closed the connection"),
)
_CUT: Final = ": no connection: "
_NOT_STARTED: Final = say("not started")
_SEARCHING: Final = say("looking for a utility server on this network")


def told(detail: str) -> str:
    """Return a detail of the link as a sentence; one that is not known here as it is."""
    for words in (_NOT_STARTED, _SEARCHING):
        if detail == words:
            return words
    for template in _SAID:
        before, _, after = template.partition(_HOST)
        host = detail.removeprefix(before).removesuffix(after)
        if detail == f"{before}{host}{after}" and " " not in host:
            return template(host=host)
    host, cut, why = detail.partition(_CUT)
    return say("{host}: no connection: {why}", host=host, why=why) if cut else detail
