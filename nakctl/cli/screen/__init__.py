"""What is seen of a run while it goes on. Importing this room loads nothing.

follow       runs from outside, on a terminal or as lines: `nakctl watch`, and `nakctl run` on a wall clock
watched      one of them, kept up to date by looking; trace, canvas, page, words: how it is drawn and told
run_screen   a run in virtual time, which draws in its own process; mail, drawing: what it says, and how
"""
