"""What security costs: handshakes, encryption at rest, the software agent, and enrolment.

Each part says at its own place how it measures; they run one after another.
"""

from tests.benchmarks import (
    security_agent,
    security_enrol,
    security_handshake,
    security_store,
)
from tests.benchmarks.common import Figure, parser, report


def main() -> None:
    """Measure and print."""
    options = parser(__doc__).parse_args()
    figures: dict[str, Figure] = {}
    for part in (security_handshake, security_store, security_agent, security_enrol):
        figures |= part.measure()
    report(
        "security",
        figures,
        requirements=["L1-AUTH", "L1-AGENT", "L1-CRYPT", "PRV-CRYPT"],
        headline=[
            "handshake_full_per_s",
            "handshake_resumed_per_s",
            "encryption_cost",
            "agent_cpu_share",
            "enrol_s",
        ],
        record=options.record,
    )


if __name__ == "__main__":
    main()
