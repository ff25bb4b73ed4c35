"""The numbers of a simulated cell, found from runs of a real one. How it is done: docs/fit.md.

Pure but for reading files: a model comes in as a `nakctl.device.fitting.Subject`, which no module here knows.
"""
