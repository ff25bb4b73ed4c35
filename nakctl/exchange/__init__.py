"""Files of other programs: what they open (`formats`), and what of theirs becomes a result file (`eclab`)."""
