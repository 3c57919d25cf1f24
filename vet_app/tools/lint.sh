#!/bin/sh
# Ruff, mypy and whether the migrations are complete. Mypy runs on the newer line, whose stubs fit its Django.
set -eu
cd "$(dirname "$0")/.."
line=""
for candidate in python3 python39; do
  if [ -n "$(tools/find_python.sh "$candidate")" ]; then line=$candidate; break; fi
done
[ -n "$line" ] || { echo "No Python from 3.9 to 3.13 was found."; exit 1; }
"$(tools/find_python.sh "$line")" tools/environment.py ".venv-$line" test
bin=".venv-$line/bin"
"$bin/ruff" check .
"$bin/ruff" format --check .
if [ "$line" = python3 ]; then "$bin/mypy" .; else echo "mypy is skipped: it needs Python 3.10 or newer."; fi
for each in .venv-python39 .venv-python3; do
  if [ -x "$each/bin/python" ]; then "$each/bin/python" manage.py makemigrations --check --dry-run >/dev/null; fi
done
echo "Lint: clean"
