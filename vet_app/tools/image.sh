#!/bin/sh
# Make what the container image holds: `tools/image.sh VENV`. The Dockerfile runs it, and so do people without an engine.
# The environment goes to VENV; translations, static files and byte code are made beside the source, because nothing can
# be written where the application runs. PYTHON names the interpreter (python3).
set -eu
venv=$1
cd "$(dirname "$0")/.."
"${PYTHON:-python3}" tools/environment.py "$venv" app
python=$venv/bin/python
for catalogue in locale/*/LC_MESSAGES/django.po; do
  [ ! -f "$catalogue" ] || msgfmt --check --output-file="${catalogue%.po}.mo" "$catalogue"
done
# The settings of production want values; these serve for this one command and are in no layer of the image.
VET_ENV=production PUBLIC_URL=https://build.invalid DATABASE_URL=postgresql://build.invalid/build \
  SECRET_KEY=only-to-collect-the-static-files-of-the-container-image "$python" manage.py collectstatic --no-input --clear
"$python" -m pip uninstall --yes --quiet pip setuptools
"$python" -m compileall -q --invalidation-mode unchecked-hash accounts api audit clinic exchange vetclinic web
