# Settings for login shells, such as those of terminals. PATH already contains ~/.local/bin and ~/bin. If the system's
# profile has replaced PATH, ORGO_PATH restores it.
[ -z "$ORGO_PATH" ] || PATH=$ORGO_PATH
if [ -n "$BASH_VERSION" ] && [ -f ~/.bashrc ]; then
  . ~/.bashrc
fi
