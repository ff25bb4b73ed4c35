"""Two plans compared in the words of the experiment: currents, times, charges, limits, who holds them.

`compare` gives a `Difference`, which `told` puts into plain text or Markdown and `as_json` into JSON.
"""

from nakctl.render.difference.compare import compare
from nakctl.render.difference.value import Change, Difference, StepChange

__all__ = ["Change", "Difference", "StepChange", "compare"]
