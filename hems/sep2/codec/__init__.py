"""The tables behind `hems.sep2.xml`: scalars, reading, writing."""
