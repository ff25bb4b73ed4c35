"""Which models of cells are fitted, and why others are not. Imports nothing: the driver does."""

FITTED = ("nak", "circuit", "symmetric", "blocking")
NOT_FITTED = {
    "battery": "a battery is not fitted: its potentials are tables, which are measured; write them into a "
    "cell's file beside its capacity and resistances (docs/cell-model.md, Your own cell)"
}
