"""American spelling reaches readers of `en-us` alone, and the first reader's language changes nothing."""

from __future__ import annotations

import gettext as python_gettext
import itertools
import re
from types import SimpleNamespace
from typing import Any, Dict, Set

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext, trans_real

from clinic.models import PaymentMethod, Pet
from clinic.services.settings import change_settings
from tests.web.test_messages import APP, GERMAN, compile_, compiled, needs_gettext
from tests.web.test_settings_page import WHO
from vetclinic import american

CATALOGUE = APP / "locale/en_US/LC_MESSAGES/american.po"
COLOUR: Dict[str, str] = {"en-us": "Color", "en-gb": "Colour", "en": "Colour", "de": "Farbe"}
# Words that Americans spell otherwise, without `-ise`, which is right in most of ours; and those of a shop in Britain.
BRITISH = re.compile(
    r"\w*(?:colour|favour|behaviour|honour|neighbour|labour|cheque|licence|catalogue|centre|\bmetre|\blitre|\bgrey"
    r"|cancelled|cancelling|labelled|travell|programme|tyre|mould|anaes|haem|oedem|oesoph|diarrhoea|faec|takings|\btills?\b|\bposted\b"
    r"|\bby post\b|^post$)\w*",
    re.IGNORECASE,
)


@pytest.mark.parametrize("default", list(COLOUR))
def test_each_reader_has_their_spelling_in_any_order(default: str, settings: Any, monkeypatch: Any) -> None:
    settings.LANGUAGE_CODE = default  # what Django falls back to
    monkeypatch.setattr(python_gettext, "_translations", {})
    for order in itertools.permutations(COLOUR):
        monkeypatch.setattr(trans_real, "_translations", {})  # as in a process that has just begun
        american.load()
        words = {}
        for language in (*order, *order):
            with translation.override(language):
                words[language] = gettext("Colour")
        assert words == COLOUR, order


def test_clinics_of_four_languages_in_one_process(clinic: SimpleNamespace, as_manager: Client) -> None:
    Pet.objects.filter(pk=clinic.pet.pk).update(colour="grey")
    version, words = 0, {"en-us": "gray", "en-gb": "grey", "en": "grey", "de": "grau"}
    for language in (*COLOUR, *reversed(list(COLOUR))):
        settled = change_settings(clinic.actor, version, {**WHO, "language": language})
        version = settled.version
        page = as_manager.get(f"/pets/{clinic.pet.pk}/").content.decode()
        assert f"<dt>{COLOUR[language]}</dt><dd>{words[language]}</dd>" in page, language


def test_a_cheque_is_a_check_and_what_a_clinic_named_itself_stays(clinic: SimpleNamespace) -> None:
    own = PaymentMethod.objects.create(code="own", name="Grey voucher")
    with translation.override("en-us"):
        assert {str(each) for each in PaymentMethod.objects.all()} >= {"Check", "Grey voucher"}
    with translation.override("en-gb"):
        assert str(PaymentMethod.objects.get(code="cheque")) == "Cheque" and str(own) == "Grey voucher"


def test_an_american_clinic_has_revenue_a_cash_drawer_and_mail(as_manager: Client, clinic: SimpleNamespace) -> None:
    change_settings(clinic.actor, 0, {**WHO, "language": "en-us"})
    page = as_manager.get("/takings/").content.decode()
    assert "Revenue" in page and "Takings" not in page
    assert "Count the cash drawer" in as_manager.get("/takings/till/").content.decode()
    assert ">Mail</option>" in as_manager.get("/owners/new/").content.decode()


def british(texts: Set[str]) -> Set[str]:
    return {text for text in texts if BRITISH.search(text)}


def test_no_american_reads_a_british_word() -> None:
    ours = {key if isinstance(key, str) else key[0] for key in compiled((APP / GERMAN).with_suffix(".mo"))}
    texts = compiled(CATALOGUE.with_suffix(".mo"))
    words = {key if isinstance(key, str) else key[0]: text for key, text in texts.items()}
    remedy = f"give it an American text in {CATALOGUE.relative_to(APP)}, then `make messages`"
    assert not (left := british(ours) - set(words)), f"{sorted(left)}: {remedy}"
    assert not (kept := british(set(words.values()))), f"not American: {sorted(kept)}"
    assert not (gone := set(words) - ours), f"no longer said anywhere: {sorted(gone)}: take it out of the catalogue"
    assert all(text != key for key, text in words.items())


@needs_gettext
def test_the_compiled_words_are_fresh(tmp_path: Any) -> None:
    compile_(CATALOGUE, tmp_path / "new.mo")
    fresh = compiled(tmp_path / "new.mo")
    assert compiled(CATALOGUE.with_suffix(".mo")) == fresh, "run `make messages` and commit american.mo"
