"""Every event that a record may hold: its code, how grave it may be, and what it means.

One table for all rooms, drivers and the simulator. A code that is not here is an error of the program, which
a test finds; `nakctl.booking.layout` writes the meanings into each file, beside the column `code`.
"""

from __future__ import annotations

from typing import NamedTuple

NOTE, WARNING, ALARM = 0, 1, 2


class Meaning(NamedTuple):
    """severities: all that the code may come with; it is often 0 when what it told of is over."""

    severities: tuple[int, ...]
    text: str


def _told(*severities: int, text: str) -> Meaning:
    return Meaning(severities, text)


EVENTS: dict[str, Meaning] = {
    # the course of a run
    "segment": _told(NOTE, text="a chain began; the cell lay open before"),
    "stop": _told(NOTE, WARNING, text="the channel is asked to open the cell"),
    "taken_over": _told(WARNING, text="the program of the run had died, and another one went on with it"),
    "load_again": _told(WARNING, text="a chain that was to be started never began, and is loaded again"),
    "continued": _told(WARNING, text="what was on the channel was gone; what is left of the program goes on"),
    "end": _told(NOTE, ALARM, text="the run is over, and why"),
    "set": _told(NOTE, text="a set-point was asked for"),
    "ramp_left": _told(WARNING, ALARM, text="a set-point was on its way when the run ended, and stays there"),
    "top_up": _told(WARNING, text="a chain was over early, and the rest of its step is made up for"),
    "held_on": _told(WARNING, text="a step without a time outlasted its chain, and is loaded again"),
    "ended_at_once": _told(WARNING, text="a cutoff ended a step at its first row"),
    "paused": _told(WARNING, text="the chain was stopped because somebody paused the run; the cell is open"),
    "ask": _told(WARNING, text="the protocol asks a person for something; the cell is open until then"),
    "capacity": _told(NOTE, text="the capacity was measured, and what follows is done with it"),
    "resumed": _told(WARNING, text="what was left of the program when the run was paused goes on"),
    "asked": _told(WARNING, text="somebody asked for something, and the answer"),
    "imported": _told(NOTE, text="the file was made of recordings of another program"),
    "note": _told(NOTE, text="what somebody wanted to be kept with the run"),
    "requests": _told(NOTE, WARNING, text="requests were refused, or could not be taken for a time"),
    "late_round": _told(WARNING, text="the host looked at the cell later than promised"),
    # trouble with the channel
    "trouble": _told(ALARM, text="the experiment did not survive this error"),
    "fault": _told(ALARM, text="an error of nakctl itself"),
    "link": _told(WARNING, ALARM, text="the link to the channel was down"),
    "silence": _told(WARNING, text="the channel does not answer; it goes on by itself"),
    "not_heard": _told(ALARM, text="for so long that limits which the host holds are not guarded"),
    "shorter_chains": _told(WARNING, text="the channel holds no chain as long as was planned"),
    "not_fed": _told(
        WARNING, text="a long chain was not handed over in time, and is cut; the cell lies open"
    ),
    "no_mark": _told(WARNING, text="the channel keeps no mark, by which another program would know it"),
    "not_stopped": _told(ALARM, text="the channel was told to stop, and runs on"),
    "given_up": _told(ALARM, text="the operator gave up stopping the channel"),
    "not_closed": _told(ALARM, text="the channel was not let go in order"),
    "not_read": _told(ALARM, text="the channel has stopped, and does not hand over its last rows"),
    "unread": _told(ALARM, text="the channel has stopped, and its last rows cannot be read"),
    "call_hangs": _told(ALARM, text="a call of the channel does not come back"),
    "left_behind": _told(ALARM, text="a call that never came back was left; another program goes on"),
    "lost": _told(ALARM, text="what was on the channel is gone, and the run has not ended"),
    "call_back": _told(WARNING, text="a call of the channel that hung came back"),
    "instrument": _told(WARNING, text="a message of the instrument"),
    "option": _told(ALARM, text="the instrument reports an error of its options"),
    "state": _told(ALARM, text="the channel is in a state that nobody asked for"),
    "stopped": _told(NOTE, text="the channel says that it has stopped"),
    "other-programs": _told(WARNING, text="other programs are connected to the instrument"),
    # what the readings are worth
    "gap": _told(WARNING, text="rows are known to be missing"),
    "overload": _told(WARNING, text="Ewe or I was beyond its range"),
    "overload_lasts": _told(NOTE, ALARM, text="every row is beyond the range"),
    "no_value": _told(NOTE, ALARM, text="Ewe or I is no number"),
    "bad_time": _told(NOTE, ALARM, text="times of rows go back, or are none"),
    "time-order": _told(WARNING, text="the instrument's times went back"),
    "timebase": _told(WARNING, text="the instrument tells another time base than was loaded"),
    "no_current": _told(NOTE, ALARM, text="the current that is set does not flow"),
    "frozen": _told(NOTE, ALARM, text="readings do not change by a bit"),
    "silent": _told(NOTE, ALARM, text="the channel runs, and makes no rows"),
    # the record
    "record_behind": _told(WARNING, text="the record is behind, and rows wait in the instrument"),
    "record_caught_up": _told(NOTE, text="the record has caught up"),
    "record_late": _told(WARNING, text="the disk has not confirmed in time what was meant"),
    "slow_disk": _told(WARNING, text="the disk took long for what one read had brought"),
    "disk_refuses": _told(ALARM, text="the disk takes no more; what is recorded goes elsewhere, or waits"),
    "disk_accepts": _told(NOTE, WARNING, text="what the disk did not take is in the journal"),
    "low_disk": _told(WARNING, text="the disk will be full soon"),
    "journal_vanished": _told(ALARM, text="the journal was moved or deleted, and is written anew"),
    "live_view_restarted": _told(NOTE, text="the helper that keeps the file readable was restarted"),
    "live_view_lost": _told(WARNING, text="the helper that keeps the file readable is gone for good"),
    # sensors. A fault of one that a limit rests on is an alarm
    "sensor_set": _told(NOTE, text="a set-point was sent"),
    "sensor_not_set": _told(ALARM, text="a set-point could not be sent"),
    "sensor_back": _told(NOTE, WARNING, ALARM, text="the sensor is read again"),
    "sensor_timeout": _told(WARNING, ALARM, text="it did not answer in time"),
    "sensor_garbage": _told(WARNING, ALARM, text="what it sent is no reading"),
    "sensor_pattern": _told(WARNING, ALARM, text="its pattern does not come to an end on a line"),
    "sensor_wrong_unit": _told(
        WARNING, ALARM, text="it shows a unit that cannot be made into the agreed one"
    ),
    "sensor_half_line": _told(WARNING, ALARM, text="a line without its end"),
    "sensor_no_value": _told(WARNING, ALARM, text="it says that it has no value"),
    "sensor_implausible": _told(WARNING, ALARM, text="it says what it cannot mean"),
    "sensor_unit": _told(NOTE, text="it shows another unit, which is converted"),
    "sensor_gone": _told(WARNING, ALARM, text="its link is gone"),
    "sensor_frozen": _told(NOTE, WARNING, ALARM, text="its value does not change by a bit"),
    "sensor_blind": _told(ALARM, text="it cannot be seen for long; the run goes on without its limits"),
    "sensor_hangs": _told(WARNING, ALARM, text="it gives no answer, or its reader stands still"),
    "sensor_died": _told(WARNING, ALARM, text="its reader broke down, and was started anew"),
    "sensor_close": _told(NOTE, text="it was not let go in order"),
    "sensors_lost": _told(WARNING, ALARM, text="no sensor is read: their process cannot be started"),
    "sensors_died": _told(WARNING, ALARM, text="no sensor is read: their process died"),
    "sensors_still": _told(WARNING, ALARM, text="no sensor is read: their process stands still"),
    "sensors_ended": _told(WARNING, text="their process stood still: it is ended, and another one started"),
    "sensors_stuck": _told(ALARM, text="their process cannot be ended"),
    "sensors_back": _told(WARNING, text="the sensors are read again"),
    "sensors_garbled": _told(WARNING, text="what their process said could not be understood"),
    "sensors_disk_refuses": _told(ALARM, text="the disk does not take the readings of sensors"),
}

# What people are told of a run (`notify:` of a rig), in their words; the last two are seen by who looks.
NEWS = ("start", "end", "alarm", "ask", "gap", "low disk", "taken over", "dead", "hung")
_NEWS_OF = {
    "ask": "ask",
    "gap": "gap",
    "low_disk": "low disk",
    "disk_refuses": "low disk",
    "disk_accepts": "low disk",
    "taken_over": "taken over",
}


def news_of(code: str, severity: int) -> str:
    """As which of NEWS an event is told to people who do not look; "": it is not."""
    if code == "end" or (code == "stop" and severity > NOTE):
        return "end"
    return _NEWS_OF.get(code) or ("alarm" if severity >= ALARM else "")
