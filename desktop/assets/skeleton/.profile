# The settings of login shells, such as the shells of terminals. PATH already contains ~/.local/bin and ~/bin, unless
# the system's profile has reset PATH.
[ -z "$ORGO_PATH" ] || PATH=$ORGO_PATH
if [ -n "$BASH_VERSION" ] && [ -f ~/.bashrc ]; then
  . ~/.bashrc
fi
