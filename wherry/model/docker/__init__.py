"""Shapes of Docker's Engine API, as values. Translating them is the business of the API room."""
