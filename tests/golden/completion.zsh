#!/usr/bin/env zsh
# SPDX-License-Identifier: MIT
# What the completion makes of a line in a real zsh: a shell on a pseudo terminal gets the keys, and
# its line editor says what the line has become.
#
# usage: completion.zsh SLOTWISE
emulate -R zsh
zmodload zsh/zpty zsh/zselect || { print 'skipped: no zsh/zpty'; exit 77 }
typeset -r here=$(mktemp -d)
trap 'zpty -d shell 2>/dev/null; rm -rf $here' EXIT
$1 completion zsh >$here/_slotwise || exit 1
: >$here/slotwise && chmod +x $here/slotwise

# wait_for FILE: bounded, a shell that hangs fails the test.
wait_for() {
    local -i i
    for ((i = 0; i < 1500; i++)); do
        [[ -s $1 ]] && return 0
        zselect -t 1
        zpty -r -t shell REPLY >/dev/null # an unread terminal would block the shell
    done
    print "the shell on the terminal did not answer"
    return 1
}

zpty -b shell "HOME=$here TERM=dumb zsh -f -i"
zpty -w shell "PS1= fpath=($here \$fpath) path=($here \$path); cd $here"
zpty -w shell 'autoload -Uz compinit; compinit -u -D'
zpty -w shell 'tell() { print -r -- "$BUFFER" >line.new; mv line.new line; BUFFER=; }'
zpty -w shell 'zle -N tell; bindkey "^I" complete-word; bindkey "^X" tell; setopt no_beep; print ok >ready'
wait_for $here/ready || exit 1

expect() { # what the line becomes, the keys typed before TAB
    rm -f $here/line
    zpty -n -w shell "$2"$'\t'$'\x18'
    wait_for $here/line || exit 1
    local got="$(<$here/line)"
    [[ $got == "$1" ]] || { print -r -- "'$2' and TAB: '$got', not '$1'"; exit 1 }
}
expect 'slotwise report ' 'slotwise rep'
expect 'slotwise doctor ' 'slotwise doc'
expect 'slotwise profile --call-graph=' 'slotwise profile --call-g'
expect 'slotwise profile --call-graph fp ' 'slotwise profile --call-graph f'
expect 'slotwise models list ' 'slotwise models l'
expect 'slotwise help flamegraph ' 'slotwise help fl'
expect 'slotwise report nothing-like-it' 'slotwise report nothing-like-it'
