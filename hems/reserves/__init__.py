"""Reserve: what the home can hold back, offers, has committed and delivers."""
