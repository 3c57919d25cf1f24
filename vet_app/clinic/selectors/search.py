"""The one search box: names, addresses, telephone, microchip and tag, and the numbers of owners, pets and bills."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, List

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.utils import timezone

from clinic.models import Appointment, Invoice, Owner, Pet, Phone, Vaccination
from clinic.normalization import digits, fold, national_digits
from clinic.selectors.calendar import bounds
from clinic.selectors.invoices import whole_number
from clinic.selectors.names import any_of, named, nearest, words_of

LIMIT = 25
MOST_NEAR = 6
FEWEST_DIGITS = 3
FEWEST_WITHOUT_ZEROS = 4  # 0012 are the last digits of a number; 12 is in every second one
LOCAL = 7  # a number as neighbours write it, without the area


@dataclass(frozen=True)
class SearchResults:
    """Owners, pets and bills for one query, at most LIMIT of each; `near` where they are only written alike."""

    owners: List[Owner]
    pets: List[Pet]
    bills: List[Invoice] = field(default_factory=list)
    near: bool = False

    @property
    def may_be_more(self) -> bool:
        """Whether something was left out."""
        return LIMIT in (len(self.owners), len(self.pets))


def search(query: str) -> SearchResults:
    """Find owners, pets and bills for what somebody typed.

    By every word in an owner's name, e-mail or address, or in a pet's name and its owner's together; by telephone,
    microchip or tag; and by the number of an owner, a pet or a bill.

    First comes what the query names outright, then who is expected or here today, then names that begin with it, and
    the living before the dead. Where nothing is found, those whose names are written most like the query, or whose
    telephone or microchip is one slip of the finger away from it.
    """
    words = words_of(query)
    if not words:
        return SearchResults([], [])
    folded = fold(" ".join(words))
    own_number = whole_number(query)
    numbered, worn = Q(pk=own_number), _worn(folded)
    owners, pets = [_called(words), numbered], [_pets_called(words), numbered, *worn]
    spoken_digits = not any(letter.isalpha() for letter in query) and len(digits(query)) >= FEWEST_DIGITS
    if spoken_digits:
        owners.append(reached_by(query))
        pets.append(Q(microchip__startswith=digits(query)))
    bills = Invoice.objects.filter(number=own_number).select_related("owner") if own_number is not None else ()
    results = SearchResults(
        owners=_owners(any_of(Owner, owners), numbered, folded),
        pets=_pets(any_of(Pet, pets), reduce(or_, worn, numbered), folded),
        bills=list(bills),
    )
    if results.owners or results.pets or results.bills:
        return results
    if spoken_digits:
        return _near_digits(query)
    return SearchResults(
        nearest(_shown_owners(), query, MOST_NEAR), nearest(_shown_pets(), query, MOST_NEAR), near=True
    )


def _near_digits(query: str) -> SearchResults:
    """Telephones and microchips with one of the last seven digits wrong, or two neighbours among them swapped.

    It looks at every number, so it is asked only where nothing was found.
    """
    typed, national = digits(query), national_digits(query) or digits(query)
    if len(typed) < LOCAL:
        return SearchResults([], [])
    ending, chip = _one_slip(national[-LOCAL:]), f"^{typed[:-LOCAL]}{_one_slip(typed[-LOCAL:])}"
    owners = _shown_owners().filter(pk__in=Phone.objects.filter(digits__regex=ending).values("owner"))
    pets = _shown_pets().filter(microchip__regex=chip)
    ordered = owners.order_by("last_name", "first_name", "pk"), pets.order_by("name", "pk")
    return SearchResults(list(ordered[0][:MOST_NEAR]), list(ordered[1][:MOST_NEAR]), near=True)


def _one_slip(number: str) -> str:
    """A regular expression for the ends that one slip of the finger makes of these digits."""
    wrong = [f"{number[:at]}[0-9]{number[at + 1 :]}" for at in range(len(number))]
    swapped = [f"{number[:at]}{number[at + 1]}{number[at]}{number[at + 2 :]}" for at in range(len(number) - 1)]
    return f"({'|'.join([*wrong, *swapped])})$"


def reached_by(number: str) -> Q:
    """Owners with a telephone number, or with one that has these digits in it, however either is written."""
    typed, national = digits(number), national_digits(number)
    condition = Q(phones__digits__contains=typed) | Q(phones__digits__contains=national or typed)
    without_zeros = typed.lstrip("0")
    if len(without_zeros) >= FEWEST_WITHOUT_ZEROS:
        condition |= Q(phones__digits__contains=without_zeros)
    if len(national) > LOCAL:
        condition |= Q(phones__digits=national[-LOCAL:])
    return condition


def _called(words: List[str]) -> Q:
    """Owners by name; by e-mail and address too, unless there are only digits, which are in every address."""
    letters = any(letter.isalpha() for word in words for letter in word)
    columns = ("search_name", "search_contact") if letters else ("search_name",)
    condition = Q()
    for word in words:
        condition &= named(word, *columns)
    return condition


def _pets_called(words: List[str]) -> Q:
    condition = Q()
    for word in words:
        owners = Owner.objects.filter(named(word, "search_name"))
        condition &= any_of(Pet, [named(word, "search_name"), Q(owner__in=owners.values("pk"))])
    return condition


def _worn(folded: str) -> List[Q]:
    """The pet's own tag, one that went with a vaccination, which is what a found animal wears, or its microchip."""
    tagged = Vaccination.objects.filter(tag__iexact=folded, entered_in_error=False)
    return [Q(tag__iexact=folded), Q(pk__in=tagged.values("pet")), Q(microchip__iexact=folded)]


def _shown_owners() -> QuerySet[Owner]:
    known = Prefetch("pets", Pet.objects.filter(merged_into=None).select_related("species"))
    return Owner.objects.filter(merged_into=None, erased_on=None).prefetch_related("phones", known)


def _shown_pets() -> QuerySet[Pet]:
    return Pet.objects.filter(merged_into=None).select_related("owner", "species", "breed")


def _owners(wanted: Q, exactly: Q, folded: str) -> List[Owner]:
    rows = _ranked(_shown_owners().filter(wanted), exactly, _today(pet__owner=OuterRef("pk")), folded)
    return list(rows.order_by("rank", "last_name", "first_name", "pk")[:LIMIT])


def _pets(wanted: Q, exactly: Q, folded: str) -> List[Pet]:
    rows = _ranked(_shown_pets().filter(wanted), exactly, _today(pet=OuterRef("pk")), folded)
    return list(rows.order_by("rank", F("deceased_on").asc(nulls_first=True), "name", "pk")[:LIMIT])


def _today(**whose: Any) -> Exists:
    """Whether somebody has an appointment today that was not cancelled."""
    start, end = bounds(timezone.localdate())
    return Exists(Appointment.objects.occupying().filter(starts_at__gte=start, starts_at__lt=end, **whose))


def _ranked(rows: QuerySet[Any], exactly: Q, today: Exists, folded: str) -> QuerySet[Any]:
    rank = Case(
        When(exactly, then=Value(0)),
        When(today, then=Value(1)),
        When(search_name__startswith=folded, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    ranked: QuerySet[Any] = rows.annotate(rank=rank)
    return ranked
