"""What `wherry completion SHELL` prints: each script asks `wherry __complete` for candidates."""

BASH = r"""# bash completion for wherry: `source <(wherry completion bash)`
_wherry() {
    local current line word colon directive
    local -a words answers
    words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local cur cword
        _get_comp_words_by_ref -n ":=" cur words cword
        words=("${words[@]:1:cword}")
    fi
    current=${words[${#words[@]}-1]}
    mapfile -t answers < <(wherry __completeNoDesc "${words[@]}" 2>/dev/null)
    directive=${answers[${#answers[@]}-1]#:}
    COMPREPLY=()
    for line in "${answers[@]:0:${#answers[@]}-1}"; do
        [[ $line == "$current"* ]] && COMPREPLY+=("$line")
    done
    if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
        colon=${current%"${current##*:}"}
        for word in "${!COMPREPLY[@]}"; do
            COMPREPLY[word]=${COMPREPLY[word]#"$colon"}
        done
    fi
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *: ]]; then
        compopt -o nospace
    fi
    if ((${#COMPREPLY[@]} == 0 && directive == 0)); then
        compopt -o default
    fi
}
complete -F _wherry wherry
"""

ZSH = r"""#compdef wherry
# zsh completion for wherry: `source <(wherry completion zsh)`, or a file _wherry in $fpath
_wherry() {
    local line name directive
    local -a answers candidates
    answers=("${(@f)$(wherry __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    directive=${answers[-1]#:}
    for line in "${(@)answers[1,-2]}"; do
        [[ -n $line ]] || continue
        name=${line%%$'\t'*}
        candidates+=("${name//:/\\:}${${line#$name}/$'\t'/:}")
    done
    if ((${#candidates})); then
        _describe -o completions candidates
    fi
    if ((directive == 0)); then
        _files
    fi
}
if [[ $funcstack[1] == _wherry ]]; then
    _wherry
else
    compdef _wherry wherry
fi
"""

FISH = r"""# fish completion for wherry: `wherry completion fish | source`
function __wherry_candidates
    set -l words (commandline -opc) (commandline -ct)
    set -l answers (wherry __complete $words[2..-1] 2>/dev/null)
    set -l directive $answers[-1]
    test (count $answers) -gt 1; and printf '%s\n' $answers[1..-2]
    test "$directive" = ":0"; and __fish_complete_path (commandline -ct)
    return 0
end
complete -c wherry -f -a '(__wherry_candidates)'
"""

SCRIPTS = {"bash": BASH, "fish": FISH, "zsh": ZSH}
