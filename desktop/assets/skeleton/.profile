# Login shells of this computer, such as its terminals. ~/.local/bin and ~/bin are in PATH already.
if [ -n "$BASH_VERSION" ] && [ -f ~/.bashrc ]; then
  . ~/.bashrc
fi
