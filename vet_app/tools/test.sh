#!/bin/sh
# Run the tests on every line of Python that is found, each with SQLite and with PostgreSQL, then lint.
# `first` as the first argument runs half of them, with every line and every database once: 3.9 with PostgreSQL, the maintained one with
# SQLite, and lint, without tests that are marked `long`. `second` runs the others. The lines run side by side. Says at the end what was
# skipped and how to have it. Other arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
half=all
case "${1:-}" in first | second) half=$1 && shift ;; esac
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Databases that a line of Python is tried with in this half: databases python39
databases() {
  case "$half/$1" in
    first/python39 | second/python3) echo postgresql ;;
    first/* | second/*) echo sqlite ;;
    *) echo sqlite postgresql ;;
  esac
}

# One line of Python on its databases: run_line python39 --with-once|--without-once [pytest's arguments]
# Its status is kept by hand: `set -e` does not hold in a function that is part of a condition.
run_line() {
  line=$1 scope=$2 status=0
  shift 2
  python=.venv-$line/bin/python
  for database in $(databases "$line"); do
    if [ "$database" = postgresql ] && ! "$python" -m tests.postgres --check 2>/dev/null; then
      echo "  - PostgreSQL with $line: no server binaries. On Debian or Ubuntu: apt-get install postgresql" >>"$logs/skipped"
      [ "$half" = first ] || continue
      database=sqlite
    fi
    echo "== $line, $database"
    # shellcheck disable=SC2086 # an option or nothing
    if "$python" -m pytest --database "$database" "$scope" $length "$@"; then
      echo "$line/$database" >>"$logs/ran"
    else
      status=1
    fi
  done
  return $status
}

length=""
if [ "$half" = first ]; then
  length=--without-long
  echo "  - each line of Python with the other database, and what takes minutes in a browser: make test-app" >"$logs/skipped"
fi
lines=""
for line in python39 python3; do
  interpreter=$(tools/find_python.sh "$line")
  if [ -n "$interpreter" ]; then
    "$interpreter" tools/environment.py ".venv-$line" test
    lines="$lines $line"
  else
    variable=VET_$(echo "$line" | tr '[:lower:]' '[:upper:]')
    version=$([ "$line" = python39 ] && echo 3.9 || echo 3.12)
    echo "  - $line: no interpreter. Install one (for instance: pyenv install $version) or set $variable." >>"$logs/skipped"
  fi
done
[ -n "$lines" ] || { echo "No tests ran:"; cat "$logs/skipped"; exit 1; }

echo "Testing on$lines, side by side; what each says follows when it is done (two to five minutes) ..."
scope="--with-once" # what is the same everywhere runs on one line only
[ "$half" != second ] || scope="--without-once"
for line in $lines; do
  { run_line "$line" "$scope" "$@" >"$logs/$line" 2>&1 && touch "$logs/$line.passed"; } &
  scope="--without-once"
done
wait
failed=""
for line in $lines; do
  cat "$logs/$line"
  [ -f "$logs/$line.passed" ] || failed="$failed $line"
done
[ -z "$failed" ] || { echo "Failed:$failed"; exit 1; }
[ "$half" = second ] || tools/lint.sh
echo "Passed: $(tr '\n' ' ' <"$logs/ran")"
touch "$logs/skipped"
[ ! -s "$logs/skipped" ] || { echo "Skipped:"; cat "$logs/skipped"; }
# A program that runs these tests among others may want to say it again at its end.
[ -z "${VET_SKIPPED:-}" ] || cp "$logs/skipped" "$VET_SKIPPED"
