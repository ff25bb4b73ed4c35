"""Protocols from elsewhere, and to there: EC-Lab's settings, PyBaMM's strings, unicycler's JSON. Pure."""
