"""From the options of `run` and `create` to the body of POST /containers/create."""
