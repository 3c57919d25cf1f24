"""The other languages: complete, compiled, and what people see."""

from __future__ import annotations

import gettext
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.test import Client

APP = Path(__file__).resolve().parents[2]
GERMAN, FRENCH = (Path(f"locale/{language}/LC_MESSAGES/django.po") for language in ("de", "fr"))
COLLECT = ["makemessages", "--locale", "de", "--locale", "fr", "--no-wrap", "--no-obsolete", "--no-location",
           "--ignore", "tests"]  # fmt: skip
PARTS = ("accounts", "api", "audit", "clinic", "exchange", "locale", "vetclinic", "web")

needs_gettext = pytest.mark.skipif(
    shutil.which("msgfmt") is None or shutil.which("xgettext") is None,
    reason="needs gettext's programs: apt-get install gettext",
)


def compiled(catalogue: Path) -> Dict[Any, str]:
    with catalogue.open("rb") as file:
        translations = gettext.GNUTranslations(file)
    return {key: text for key, text in translations._catalog.items() if key}  # type: ignore[attr-defined]


def compile_(source: Path, target: Path) -> str:
    """Compile, and return what msgfmt counts."""
    command = ["msgfmt", "--check", "--statistics", f"--output-file={target}", str(source)]
    ran = subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


@needs_gettext
def test_every_text_of_the_clinic_is_translated(tmp_path: Path) -> None:
    for part in PARTS:
        shutil.copytree(APP / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(APP / "manage.py", tmp_path)
    subprocess.run([sys.executable, "manage.py", *COLLECT], cwd=tmp_path, check=True, capture_output=True)
    for catalogue in (GERMAN, FRENCH):
        counted = compile_(tmp_path / catalogue, tmp_path / "new.mo")
        remedy = f"run `make messages`, then fill what is empty or fuzzy in {catalogue}"
        assert "untranslated" not in counted and "fuzzy" not in counted, f"{counted.strip()}: {remedy}"
        compile_(APP / catalogue, tmp_path / "present.mo")
        stale = set(compiled(tmp_path / "present.mo")) ^ set(compiled(tmp_path / "new.mo"))
        assert not stale, f"no longer said anywhere: {sorted(map(str, stale))}: {remedy}"


@needs_gettext
@pytest.mark.parametrize("catalogue", [GERMAN, FRENCH], ids=["de", "fr"])
def test_the_compiled_catalogue_is_fresh(tmp_path: Path, catalogue: Path) -> None:
    compile_(APP / catalogue, tmp_path / "new.mo")
    checked_in = compiled((APP / catalogue).with_suffix(".mo"))
    assert checked_in == compiled(tmp_path / "new.mo"), "run `make messages` and commit django.mo"


def test_a_german_browser_gets_german_pages(clinic: SimpleNamespace, as_manager: Client) -> None:
    def german(address: str) -> str:
        return str(as_manager.get(address, HTTP_ACCEPT_LANGUAGE="de").content.decode())

    page = german("/reminders/")
    assert '<html lang="de">' in page and "Erinnerungen" in page and "Wartezimmer" in page and "Reminders" not in page
    assert "10,00" in german("/lists/prices/"), "numbers as Germans write them"
    assert "Diese Seite gibt es nicht" in german("/no/such/page/")
    assert "Impfung" in german(f"/pets/{clinic.pet.pk}/")


def test_a_french_browser_gets_french_pages(clinic: SimpleNamespace, as_manager: Client) -> None:
    def french(address: str) -> str:
        return str(as_manager.get(address, HTTP_ACCEPT_LANGUAGE="fr-FR").content.decode())

    page = french("/reminders/")
    assert '<html lang="fr">' in page and "Rappels" in page and "Salle d’attente" in page and "Reminders" not in page
    assert "10,00" in french("/lists/prices/"), "numbers as the French write them"
    assert "Chien" in french(f"/pets/{clinic.pet.pk}/") and "Chat" in french("/lists/species/")


@pytest.mark.parametrize("catalogue", [GERMAN, FRENCH], ids=["de", "fr"])
def test_every_placeholder_survives_translation(catalogue: Path) -> None:
    for key, text in compiled((APP / catalogue).with_suffix(".mo")).items():
        source = key[0] if isinstance(key, tuple) else key
        for name in {part.split(")")[0] for part in source.split("%(")[1:]}:
            assert f"%({name})" in text, f"{source!r} lost %({name}) in {text!r}"
