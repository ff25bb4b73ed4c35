"""What a run shows while it goes on. Importing this room loads nothing.

run_screen      what is said, and where: in this process or in one of its own
mailbox         between a run, which never waits, and a view, which may stand still
drawing         the views: a moving block, plain lines, nothing
remote_screen   the run's end of a view in a process of its own
screen_process  that process
"""
