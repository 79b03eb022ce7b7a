"""The utility's other systems: IEC 61968 messages over HTTP and NATS (docs/enterprise.md)."""
