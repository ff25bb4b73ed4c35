"""YAML laid out anew: what is only a matter of taste becomes the same everywhere, and no value changes.

Tokens stay as they were written, in their order, on lines that begin and end where the writer had them: so
comments, quotes, long texts and the form of numbers are kept. New are the indentation (two columns a level,
and two for the dash of a list), the blanks around brackets, commas, colons, dashes and comments, and at most
one blank line in a row. Comments that stand below each other move together.

Written over the scanner of PyYAML and not over a library that writes YAML: those keep comments by the column,
lose those between brackets, and break long lines.
"""

from nakctl.text.layout.lines import NotLaidOut, laid_out

__all__ = ["NotLaidOut", "laid_out"]
