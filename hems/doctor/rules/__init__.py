"""What facts amount to. Pure: tables of thresholds and words, no I/O."""
