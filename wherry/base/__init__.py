"""What every room may lean on: errors, ids, clock, files. Standard library only; no other room."""
