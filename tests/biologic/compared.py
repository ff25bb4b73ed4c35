"""What tests compare of two runs: the words of a step that no seam may change."""

STEP_WORDS = [
    "step_count",
    "step_id",
    "cycle",
    "technique",
    "label",
    "row_count",
    "end_reason",
    "end_kind",
    "end_id",
]
