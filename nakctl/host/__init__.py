"""What the computer has to do for a run of weeks: let it live, stay awake, tell of its end, start it again.

`start_detached`   a process that outlives the terminal it was started from
`told_of_the_end`  what to do when the session or the computer goes down
`awake`            the computer does not go to sleep meanwhile
`autostart`        what looks after the runs when the computer starts, and every five minutes

Each works as far as the system lets it, and says in a sentence what it could not do: none of this is a reason
not to measure. Decided in docs/decisions/0026.
"""

from nakctl.host.awake import awake
from nakctl.host.detached import Detached, start_detached
from nakctl.host.end_of_session import told_of_the_end

__all__ = ["Detached", "awake", "start_detached", "told_of_the_end"]
