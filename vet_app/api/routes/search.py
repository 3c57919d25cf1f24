"""The one search box."""

from typing import Any, List

from django.http import HttpRequest
from ninja import Query, Router, Schema

from api.access import actor
from api.routes.owners import OwnerOut
from api.routes.pets import PetOut
from clinic.selectors import search

router = Router()


class FoundOut(Schema):
    """Owners and pets, at most 25 of each."""

    owners: List[OwnerOut]
    pets: List[PetOut]
    near: bool


@router.get("", response=FoundOut)
def find(request: HttpRequest, q: str = Query(max_length=200)) -> Any:
    """Find by the words of a name, an e-mail, an address, telephone digits, microchip, tag or number.

    `near` says that nothing is written so, and that these are only written alike.
    """
    actor(request)
    results = search.search(q)
    return {"owners": results.owners, "pets": results.pets, "near": results.near}
