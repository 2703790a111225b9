"""wherry-runtime, the OCI runtime's command line."""
