"""`nakctl campaign`: what is asked for, what is there of it, and carrying out what is missing.

planned.py   every run of a campaign, prepared before the first one begins
folder.py    the folder of the results; found.py: what is in it; carrier.py: who carries it out
channels.py  runs on channels with a clock: each a process of its own, which this one only starts
going.py     one thing after the other, until nothing is left to be done (`nakctl.campaign.order` decides)
told.py      in words: the table, what begins and ends, the summary
on_dask.py   runs in virtual time on a cluster: dask_client.py (the way there), dask_task.py (what it does)
command.py   the command
"""
