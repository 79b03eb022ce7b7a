"""SunSpec Modbus driver: models, discovery, controls."""
