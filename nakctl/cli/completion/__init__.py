"""What may stand where a person presses Tab, in bash, zsh, fish and PowerShell.

`nakctl completion SHELL` prints the script that a shell loads at its start (`shells`). That asks
`nakctl _complete SHELL =WORD...` for what may stand in the place of the last word. Each word has a sign
before it, because Windows PowerShell loses words that are empty. The answer comes at once, and is empty
rather than a complaint.
"""
