#!/bin/sh
# Print an interpreter for a line of Python that starts: `find_python.sh python39` or `find_python.sh python3`.
# Looks on PATH and where pyenv keeps its versions. VET_PYTHON39 and VET_PYTHON3 name one outright. Prints nothing when there is none.
case "$1" in
  python39) chosen="${VET_PYTHON39:-}" versions="3.9" ;;
  python3) chosen="${VET_PYTHON3:-}" versions="3.12 3.13 3.11 3.10" ;;
  *) echo "usage: find_python.sh python39|python3" >&2; exit 2 ;;
esac
for version in $versions; do
  for candidate in "$chosen" "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python python3; do
    [ -n "$candidate" ] || continue
    found=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    if [ "$found" = "$version" ]; then command -v "$candidate"; exit 0; fi
  done
done
