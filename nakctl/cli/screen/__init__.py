"""What is seen of a run while it goes on. Importing this room loads nothing.

words        a run in words, however it is shown
In virtual time, by the run itself, in its own process:
run_screen   what is said (mail)
drawing      the views: a moving block, plain lines, nothing
From outside, by whoever looks:
watched      one run, kept up to date by looking at its files
page         it on a page of any size; trace, canvas: its curves
follow       runs until they are over, on a terminal or as lines
"""
