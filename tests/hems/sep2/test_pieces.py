"""Parts of files as servers describe them."""

import pytest

from hems.sep2.errors import MalformedError
from hems.sep2.transport.connections import Answer
from hems.sep2.transport.pieces import piece_of

pytestmark = pytest.mark.requirement("PRO-2030.5")


@pytest.mark.parametrize("said", ["", "bytes x-y/z", f"bytes 0-3/{'9' * 5000}", "bytes 1-4/9"])
def test_a_range_that_is_none_is_told(said: str) -> None:
    answer = Answer(206, {"Content-Range": said}, b"abcd")
    with pytest.raises(MalformedError, match="/file"):
        piece_of("/file", answer, 0)
