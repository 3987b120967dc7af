# The settings of interactive shells.
[[ $- == *i* ]] || return

HISTCONTROL=ignoredups
HISTSIZE=5000
shopt -s checkwinsize
PS1='\[\e[1;34m\]\u@\h\[\e[0m\]:\[\e[1;36m\]\w\[\e[0m\]\$ '
alias ls='ls --color=auto'
alias ll='ls -l'
alias grep='grep --color=auto'
