# fish: what may stand where Tab is pressed behind nakctl
function __nakctl_names
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    nakctl _complete fish "="$words[2..-1] "=$typed" 2>/dev/null
end
complete --command nakctl --erase
complete --command nakctl --no-files --arguments "(__nakctl_names)"
