"""The scripted utility's scenarios, carried out by our own head-end."""
