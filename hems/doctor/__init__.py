"""What is wrong with an installation, and what to do: facts are probed, then judged by rules."""
