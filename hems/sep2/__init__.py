"""IEEE 2030.5: resources, XML, transport, discovery, events and responses; knows no home."""
