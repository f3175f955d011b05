"""Funders: who pays for what is given, and how much of it is left."""
