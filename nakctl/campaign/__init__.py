"""Campaigns: several runs that belong together, as a file says it. Pure, but for reading that file.

model.py    all words on one page
read.py     a file -> the runs that it asks for, each with its place in the file
naming.py   how their results are called
made_of.py  whether a result is of the run that is asked for now
order.py    which run may begin next
schema.py   for editors; library.py: those that come along
"""
