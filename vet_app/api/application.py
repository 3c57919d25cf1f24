"""The API as a whole: its routes, its errors and its document."""

from typing import Any

from ninja import NinjaAPI
from ninja.operation import Operation

from api import access, problems
from api.routes import ROUTERS

DESCRIPTION = """The clinic's work, for programs.

A manager issues a token (`manage.py api_token USER NAME`); send it as `Authorization: Bearer vet_...`.
A change names the `version` it was based on and is refused with 409 and `"code": "changed"` when somebody else was
faster. Money is a string with a point and as many decimals as the clinic's currency has (USD two, JPY none, KWD three);
prices of one unit and quantities have up to four. Times have an offset from UTC. Lists take `limit` (at most 100) and
`offset`. A field that is not described here is refused, days are written 2026-03-05, times with seconds and offset. All
errors are problem documents (RFC 9457). Exports are files: `/export/clients.csv`, `/export/takings.csv?since=&until=`,
`/export/pets/{id}.zip`, and the content of a file at `/attachments/{id}/content`."""


class ClinicAPI(NinjaAPI):
    """ninja's API with short operation ids and the errors that every route may answer in its document."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function, which is unique."""
        return str(operation.view_func.__name__)

    def get_openapi_schema(self, **options: Any) -> Any:
        """The OpenAPI document."""
        document = super().get_openapi_schema(**options)
        problems.describe(document)
        forget_patterns(document)
        return document


def forget_patterns(part: Any) -> None:
    """Drop the patterns of decimal numbers: each release of pydantic writes others, and they say nothing to people."""
    if isinstance(part, dict):
        if part.get("type") == "string":
            part.pop("pattern", None)
        for inner in part.values():
            forget_patterns(inner)
    elif isinstance(part, list):
        for inner in part:
            forget_patterns(inner)


api = ClinicAPI(
    title="Veterinary practice",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    auth=access.AUTH,
    throttle=[access.THROTTLE],
    docs_decorator=access.known_people_only,
)
problems.install(api)
for prefix, router in ROUTERS.items():
    api.add_router(prefix, router, tags=[prefix.strip("/")])
