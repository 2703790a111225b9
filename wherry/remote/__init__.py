"""The registry client: resolve, authenticate, fetch and push."""
