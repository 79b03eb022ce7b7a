"""The head-end looked at: metrics, logs with correlation ids, signals of what is not as it was."""
