"""What other documents name by id: vets, species with breeds, vaccines and the price list; and who is asking."""

from decimal import Decimal
from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Router, Schema

from api.access import actor
from api.lists import listed
from api.types import Named
from clinic.models import Product, Species, Vaccine, Vet

router = Router()


class Me(Schema):
    """The user of the token, and what the role allows."""

    username: str
    rights: List[str]


class SpeciesOut(Named):
    """A species with its breeds."""

    breeds: List[Named]


class VaccineOut(Named):
    """A vaccine; those of one group replace one another."""

    group: str
    species_id: int
    interval_months: Optional[int]


class ProductOut(Named):
    """A thing or a service, priced before tax; the tax rate is in percent."""

    code: str
    kind: str
    unit_price: Decimal
    tax_rate: Decimal


@router.get("/me", response=Me)
def get_me(request: HttpRequest) -> Any:
    """Who is asking."""
    who = actor(request)
    return {"username": who.name, "rights": sorted(right.value for right in who.rights)}


@router.get("/vets", response=List[Named])
@listed
def list_vets(request: HttpRequest) -> Any:
    """Vets who can be booked."""
    actor(request)
    return Vet.objects.filter(active=True)


@router.get("/species", response=List[SpeciesOut])
@listed
def list_species(request: HttpRequest) -> Any:
    """Species and breeds."""
    actor(request)
    return Species.objects.prefetch_related("breeds")


@router.get("/vaccines", response=List[VaccineOut])
@listed
def list_vaccines(request: HttpRequest) -> Any:
    """Vaccines in use."""
    actor(request)
    return Vaccine.objects.filter(active=True)


@router.get("/products", response=List[ProductOut])
@listed
def list_products(request: HttpRequest) -> Any:
    """The price list."""
    actor(request)
    return Product.objects.filter(active=True)
