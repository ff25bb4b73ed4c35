# bash: what may stand where Tab is pressed behind nakctl
_nakctl() {
    local line how=
    local -a words=()
    for line in "${COMP_WORDS[@]:1:COMP_CWORD}"; do words+=("=$line"); done
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $how ]]; then how=" $line"; else COMPREPLY+=("$line"); fi
    done < <(nakctl _complete bash "${words[@]}" 2>/dev/null)
    if [[ $how == *filenames* ]]; then compopt -o filenames 2>/dev/null; fi
    if [[ $how == *nospace* && ${#COMPREPLY[@]} -eq 1 ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _nakctl nakctl
