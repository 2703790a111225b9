"""The commands of `wherry-runtime`, a module each, loaded when called."""
