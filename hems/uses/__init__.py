"""The use cases at work: the parts that remember and act beside the control cycle."""
