"""A control centre's telecontrol (IEC 60870-5-104) mapped to the homes, to see and to command."""
