"""The home in Home Assistant, by MQTT discovery: a layer beside the page, over the same surface."""
