"""`nakctl ci`: every protocol of a folder checked, planned and dry-run on its cells, beside what is expected.

`files.py` (what there is) and `base.py` (what changed) -> `cases.py` (which protocol runs on which cell) ->
`runs.py` (on all cores) -> `outcome.py` (what came of it), as `lines.py`, `summary.py`, `junit.py` and
`annotations.py` tell it. `command.py` is all of that.
"""
