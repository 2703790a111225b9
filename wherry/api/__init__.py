"""Translation between Docker's HTTP API and the engine.

One module for each noun; decides nothing.
"""
