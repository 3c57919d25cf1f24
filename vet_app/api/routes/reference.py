"""What other documents name by id: vets, species with breeds, vaccines and the price list; and who is asking."""

from decimal import Decimal
from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field
from typing_extensions import Annotated

from accounts.roles import Right
from api.access import actor
from api.lists import listed
from api.types import Document, Id, Named, Price, Text, Version
from clinic.models import Product, Species, Vaccine, Vet
from clinic.services.catalogue import save_entry

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
    """A thing or a service, priced before tax or with it as the clinic has set; the tax rate is in percent."""

    version: int
    code: str
    kind: str
    unit_price: Decimal
    tax_rate: Decimal
    fee_code: str = Field(description="The number in the German fee schedule for vets (GOT).")


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


class ProductFields(Document):
    """What can be changed; what is left out stays."""

    name: Text = ""
    kind: Text = Field("service", description="service, medicine or goods")
    unit_price: Optional[Price] = None
    tax_rate: Optional[Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]] = None
    fee_code: Text = ""
    active: bool = True


class ProductIn(ProductFields):
    """A new entry of the price list."""

    code: Text
    name: Text
    unit_price: Price


class ProductChange(ProductFields):
    """A change of an entry; bills that are written keep their prices."""

    version: Version


def _product_fields(body: ProductFields) -> Any:
    fields = body.dict(exclude_unset=True, exclude={"version"})
    return {name: value for name, value in fields.items() if value is not None}


@router.post("/products", response={201: ProductOut})
def add_product(request: HttpRequest, given: ProductIn) -> Any:
    """Add an entry to the price list."""
    return Status(201, save_entry(actor(request, Right.MANAGE), Product, None, 0, _product_fields(given)))


@router.patch("/products/{product_id}", response=ProductOut)
def change_product(request: HttpRequest, product_id: Id, given: ProductChange) -> Any:
    """Change an entry of the price list."""
    return save_entry(actor(request, Right.MANAGE), Product, product_id, given.version, _product_fields(given))
