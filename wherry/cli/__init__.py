"""The command line. Talks to the daemon through the client alone."""
