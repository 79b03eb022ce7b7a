"""Which firmware devices run, and what their makers and the enterprise say of it (L2-FIRMWARE)."""
