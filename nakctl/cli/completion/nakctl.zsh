# zsh: what may stand where Tab is pressed behind nakctl
_nakctl() {
    local line word
    local -a asked lines closed closed_told open open_told
    for word in "${(@Q)words[2,CURRENT-1]}"; do asked+=("=$word"); done
    lines=("${(@f)$(nakctl _complete zsh "${asked[@]}" "=${(Q)PREFIX}" 2>/dev/null)}")
    for line in "${lines[@]}"; do
        [[ -n $line ]] || continue
        word=${${line%%$'\t'*}#?}
        line=${line:0:1}${word}${${line#*$'\t'}:+  -- ${line#*$'\t'}}
        if [[ $line == +* ]]; then
            open+=("$word"); open_told+=("${line#?}")
        else
            closed+=("$word"); closed_told+=("${line#?}")
        fi
    done
    (( ${#closed} )) && compadd -l -d closed_told -a closed
    (( ${#open} )) && compadd -l -S '' -d open_told -a open
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _nakctl nakctl
