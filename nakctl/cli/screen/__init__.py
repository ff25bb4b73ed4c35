"""What is shown of a run while it goes on. Importing this room loads nothing.

words           a run in words, however it is shown
From inside, by the run itself:
run_screen      what is said, and where: in this process or in one of its own
mailbox         between a run, which never waits, and a view, which may stand still
drawing         the views: a moving block, plain lines, nothing
remote_screen   the run's end of a view in a process of its own
screen_process  that process
From outside, by whoever looks:
watched         one run, kept up to date by looking at its files
page            it on a page of any size; trace, canvas: its curves
follow          runs until they are over, on a terminal or as lines
"""
