"""The live page: a server on this computer alone, which looks at runs as `nakctl watch` does.

`guard` who may look; `listening` how they get in; `lookout` what there is to be seen; `words` how it is told;
`errands` what is done in processes of their own (reports, stops); `server` how it is asked for.
"""
