"""The zygote, the monitors and the messages between them and the daemon."""
