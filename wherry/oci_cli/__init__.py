"""The `wherry-runtime` command: the OCI runtime for other engines, without a daemon."""
