"""Looking at the machine, files and peers; nothing is changed by it, and nothing judged."""
