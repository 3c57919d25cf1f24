#!/bin/sh
# Lint, then run the tests on every line of Python that is found, each with SQLite and with PostgreSQL.
# Says at the end what was skipped and how to have it. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
skipped=""
ran=""
for line in python39 python3; do
  python=$(tools/find_python.sh "$line")
  if [ -z "$python" ]; then
    skipped="$skipped
  - $line: no interpreter. Install one (for instance: pyenv install $([ "$line" = python39 ] && echo 3.9 || echo 3.12)) or set VET_$(echo "$line" | tr '[:lower:]' '[:upper:]')."
    continue
  fi
  "$python" tools/environment.py ".venv-$line" test
  for database in sqlite postgresql; do
    if [ "$database" = postgresql ] && ! ".venv-$line/bin/python" -m tests.postgres --check 2>/dev/null; then
      skipped="$skipped
  - PostgreSQL with $line: no server binaries. On Debian or Ubuntu: apt-get install postgresql"
      continue
    fi
    echo "== $line, $database"
    ".venv-$line/bin/python" -m pytest --database "$database" "$@"
    ran="$ran $line/$database"
  done
done
[ -n "$ran" ] || { echo "No tests ran:$skipped"; exit 1; }
tools/lint.sh
echo "Passed:$ran"
[ -z "$skipped" ] || echo "Skipped:$skipped"
# Whoever runs these tests among others may want to say it again at the end of theirs.
[ -z "${VET_SKIPPED:-}" ] || printf '%s\n' "$skipped" >"$VET_SKIPPED"
