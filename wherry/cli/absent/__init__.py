"""Commands for what the engine does not do, read as docker reads them and refused by the engine."""
