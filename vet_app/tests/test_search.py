"""Finding a client by what a caller says or the telephone shows, and keeping one person one record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, List

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Owner, Pet
from clinic.normalization import fold, national_digits
from clinic.selectors.duplicates import similar_owners
from clinic.selectors.search import search
from clinic.services import derived
from clinic.services.booking import book
from clinic.services.owners import PhoneNumber, PossibleDuplicate, create_owner
from clinic.services.pets import create_pet, mark_deceased
from tests.conftest import make_clinic
from vetclinic.sqlite.trigrams import word_similarity


def owner_of(clinic: SimpleNamespace, last_name: str, phone: str = "", **fields: Any) -> Owner:
    return create_owner(clinic.actor, {"last_name": last_name, **fields}, [PhoneNumber(phone)] if phone else [])


def names(query: str) -> List[str]:
    result = search(query)
    return [] if result.near else [owner.last_name for owner in result.owners]


@pytest.mark.parametrize(
    ("country", "recorded", "called"),
    [
        ("GB", "+44 (0)20 7946 0123", "+442079460123"), ("GB", "020 7946 0123", "+442079460123"),
        ("GB", "020 7946 0123", "0044 20 7946 0123"), ("GB", "+442079460123", "020 7946 0123"),
        ("GB", "+44 (0)20 7946 0123", "(020) 7946-0123"), ("DE", "030 901820", "+49 (0)30 901820"),
        ("DE", "+49 30 901820", "0049 30 901820"), ("US", "(212) 555-0142", "+1 212 555 0142"),
        ("US", "+1 212-555-0142", "2125550142"), ("US", "555-0142", "+12125550142"),
        ("US", "212.555.0142", "1-212-555-0142"), ("FR", "01 99 00 12 34", "+33199001234"),
        ("IT", "06 1234 5678", "+39 06 1234 5678"), ("GB", "07700 900012", "0012"),
        ("GB", "+44 7700 900123", "077009001"),
    ],
)  # fmt: skip
def test_a_callers_number_finds_the_owner(
    clinic: SimpleNamespace, settings: Any, country: str, recorded: str, called: str
) -> None:
    settings.COUNTRY = country
    owner_of(clinic, "Caller", recorded)
    assert names(called) == ["Caller"], (
        f"{recorded} must be found by {called}, of which remains {national_digits(called)}"
    )


def test_leading_zeros_of_the_last_digits_count(clinic: SimpleNamespace) -> None:
    owner_of(clinic, "Right", "212-555-0012")
    owner_of(clinic, "Other", "212-555-1299")
    assert names("0012") == ["Right"]


@pytest.mark.parametrize(
    ("recorded", "typed"),
    [
        ("Müller", "mueller"), ("Mueller", "Müller"), ("Müller", "muller"), ("Øster", "oster"), ("Oster", "Øster"),
        ("Łukasz", "lukasz"), ("Lukasz", "Łukasz"), ("Strauß", "strauss"), ("Strauss", "STRAUẞ"),
        ("Ångström", "angstrom"),
        ("Đorđević", "dordevic"), ("Groß-Öhler", "gross-oehler"), ("Þórsdóttir", "thorsdottir"), ("Œuvray", "oeuvray"),
    ],
)  # fmt: skip
def test_a_name_is_found_in_another_spelling(clinic: SimpleNamespace, recorded: str, typed: str) -> None:
    owner_of(clinic, recorded)
    assert recorded in names(typed), f"{recorded} is kept as {fold(recorded)!r}"


def test_joe_is_not_everybody_who_begins_with_jo(clinic: SimpleNamespace) -> None:
    owner_of(clinic, "Johnson")
    owner_of(clinic, "Joel")
    assert names("joe") == ["Joel"]


@pytest.mark.parametrize(
    "query", ["Okafor, Ada", "ada okafor", "ADA@mail.example", "7 elm", "Straße Elm", "okafor; ada"]
)
def test_an_owner_is_found_by_what_the_record_says(clinic: SimpleNamespace, query: str) -> None:
    owner_of(clinic, "Okafor", first_name="Ada", email="ada@mail.example", address="7 Elm Straße\nSpringfield")
    assert names(query) == ["Okafor"]
    assert names("12") == [], "digits alone are no part of an address"


def test_owner_number_pet_and_chip(clinic: SimpleNamespace) -> None:
    assert clinic.owner in search(str(clinic.owner.pk)).owners
    assert search("biscuit").pets == [clinic.pet]
    assert search("900 000 000 000 101").pets == [clinic.pet]


@pytest.mark.parametrize("typed", ["okafro", "Okaforr", "ada okfor", "okafur"])
def test_a_typing_error_shows_who_is_near(clinic: SimpleNamespace, typed: str) -> None:
    owner = owner_of(clinic, "Okafor", first_name="Ada")
    result = search(typed)
    assert result.near and result.owners[0] == owner, [each.full_name for each in result.owners]
    near_pets = search("biscut")
    assert near_pets.near and near_pets.pets == [clinic.pet]
    assert not search("xyzzyq").owners and not search("xyzzyq").pets


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("02079460124", True), ("+44 20 7946 1023", True), ("020 7949 0123", True), ("79460213", True),
        ("020 7949 0124", False), ("0207946", False), ("9460132", True), ("946", False),
    ],
)  # fmt: skip
def test_a_slip_of_the_finger_in_a_telephone_shows_who_is_near(
    clinic: SimpleNamespace, settings: Any, typed: str, near: bool
) -> None:
    """One wrong digit, or two neighbours swapped, among the last seven."""
    settings.COUNTRY = "GB"
    owner = owner_of(clinic, "Okafor", "020 7946 0123")
    result = search(typed)
    assert (result.owners == [owner] and result.near) is near, [each.full_name for each in result.owners]


def test_a_slip_of_the_finger_in_a_microchip_shows_the_pet(clinic: SimpleNamespace) -> None:
    for typed in ("900000000000102", "900 000 000 000 011"):
        result = search(typed)
        assert result.near and result.pets == [clinic.pet], typed
    for typed in ("900000000000212", "910000000000102"):
        assert not search(typed).pets, typed


def test_who_is_here_today_comes_first_and_the_dead_come_last(clinic: SimpleNamespace) -> None:
    def named(name: str) -> Pet:
        return create_pet(clinic.actor, clinic.owner.pk, {"name": name, "species": clinic.species})

    dead, _plain, today = named("Luna A"), named("Luna B"), named("Luna C")
    other = named("Dark Luna")
    mark_deceased(clinic.actor, dead.pk, dead.version, date.today() - timedelta(days=3))
    noon = timezone.make_aware(datetime.combine(timezone.localdate(), time(12)))
    book(clinic.actor, clinic.vet.pk, noon, noon + timedelta(minutes=15), {"pet": today})
    assert [pet.name for pet in search("luna").pets] == ["Luna C", "Luna B", "Luna A", other.name]


@pytest.mark.parametrize(
    ("first", "last", "email", "phone"),
    [
        ("Maren", "Mueller", "", ""), ("Müller", "Maren", "", ""), ("Mareen", "Müller", "", ""),
        ("", "Else", "MAREN@example.com", ""), ("", "Else", "", "001 (555) 555-0142"),
    ],
)  # fmt: skip
def test_a_twin_is_noticed(clinic: SimpleNamespace, first: str, last: str, email: str, phone: str) -> None:
    assert similar_owners(first, last, email, [phone] if phone else []) == [clinic.owner]
    assert similar_owners("Ada", "Okafor", "ada@example.com", ["555-0999"]) == []


@pytest.mark.django_db(transaction=True)
def test_two_people_who_record_the_same_owner_at_once_make_one() -> None:
    clinic = make_clinic()

    def record(_number: int) -> str:
        try:
            return str(create_owner(clinic.actor, {"first_name": "Ada", "last_name": "Okafor"}, other_than=()).pk)
        except PossibleDuplicate as refused:
            return f"like {refused.owners[0].last_name}"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(record, range(4)))
    assert Owner.objects.filter(last_name="Okafor").count() == 1, outcomes
    assert sorted(outcomes)[1:] == ["like Okafor"] * 3, outcomes


def test_what_an_older_release_wrote_is_derived_anew_and_nothing_else_changes(clinic: SimpleNamespace) -> None:
    owner = owner_of(clinic, "Øster", "555-0177", email="o@example.com")
    Owner.objects.filter(pk=owner.pk).update(search_name="øster", search_contact="")
    assert names("o@example.com") == []
    before = Owner.objects.values("version", "updated_at").get(pk=owner.pk)
    assert derived.refresh() == 1
    assert names("o@example.com") == names("oster") == ["Øster"]
    assert Owner.objects.values("version", "updated_at").get(pk=owner.pk) == before
    assert derived.refresh() == 0


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("okafro", "ada okafor"),
        ("maren muler", "maren muller"),
        ("biscut", "biscuit"),
        ("smith", "jon smith"),
        ("x", "y"),
    ],
)
def test_sqlite_finds_words_as_alike_as_postgresql_does(db: None, part: str, whole: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT word_similarity(%s, %s)", [part, whole])
        assert word_similarity(part, whole) == pytest.approx(cursor.fetchone()[0], abs=0.01)
