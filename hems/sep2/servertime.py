"""Following the server's clock, which tells whole seconds (`TimeType`)."""


def follow(previous_s: float, current_time: int, sent: float, received: float) -> float:
    """Return the server's time less the home's, in s.

    The server read its clock between sending and receipt, somewhere in the second it named. That
    leaves an interval of offsets; the one nearest to the previous is taken, so that two clocks
    kept by NTP stay at no offset at all instead of wandering by the second's rounding.

    Args:
        previous_s: Offset so far, 0 if none is known.
        current_time: The server's `currentTime`.
        sent: When the request was sent, the home's clock.
        received: When the answer was there, the home's clock.
    """
    return min(max(previous_s, current_time - received), current_time + 1 - sent)
