# Login shells of this computer, such as its terminals. ~/.local/bin and ~/bin are in PATH already, unless the system's profile
# has set another one.
[ -z "$ORGO_PATH" ] || PATH=$ORGO_PATH
if [ -n "$BASH_VERSION" ] && [ -f ~/.bashrc ]; then
  . ~/.bashrc
fi
