"""Customer energy manager: arbitration, allocation and the control cycle."""
