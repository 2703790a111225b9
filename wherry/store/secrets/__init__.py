"""The encryption of secrets at rest; who may have one is the engine's to say."""
