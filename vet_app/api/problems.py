"""Errors of the API as problem documents (RFC 9457): one place that knows which refusal becomes which status."""

from http import HTTPStatus
from typing import Any, Callable, Dict, List, Optional, Type

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Schema
from ninja.errors import HttpError, Throttled
from ninja.errors import ValidationError as WrongDocument

from vetclinic.errors import Conflict

MEDIA_TYPE = "application/problem+json"
BUSY_SECONDS = 5
WRONG = "Some values are wrong."


class Problem(Schema):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    code: str = ""
    errors: Dict[str, List[str]] = Field(default_factory=dict)
    request_id: str = ""


# What any route may answer besides its own result, for the OpenAPI document.
ANY_ROUTE = {
    400: "The body is not JSON.",
    401: "No token, or one that is wrong, expired or revoked.",
    403: "The role does not allow this.",
    404: "There is no such record.",
    409: "It does not fit what is recorded; `code` is changed, locked, slot_taken, possible_duplicate,"
    " given_already, recorded_already or conflict.",
    413: "The body is larger than anything that is taken; `detail` says how much is.",
    422: "A value is wrong; `errors` says which.",
    429: "Too many requests of this user; Retry-After says when to go on.",
    503: "The database is busy or away; Retry-After says when to try again.",
}


def problem(
    request: HttpRequest, status: int, detail: str = "", code: str = "", errors: Optional[Dict[str, List[str]]] = None
) -> HttpResponse:
    """The answer for `status`."""
    document = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, errors=errors or {},
        request_id=getattr(request, "request_id", ""),
    )  # fmt: skip
    response = HttpResponse(document.model_dump_json(), status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def by_field(error: WrongDocument) -> Dict[str, List[str]]:
    """The messages by the name of the value; those in a list as `lines.0.quantity`."""
    messages_by_field: Dict[str, List[str]] = {}
    for each in error.errors:
        inside = [str(part) for part in each["loc"][1:]]
        name = ".".join(inside[1:] if each["loc"][0] == "body" and len(inside) > 1 else inside)
        messages_by_field.setdefault(name, []).append(each["msg"])
    return messages_by_field


def messages(error: ValidationError) -> Dict[str, List[str]]:
    """The messages of a service by field; what concerns no single field has the empty name."""
    if not hasattr(error, "error_dict"):
        return {"": error.messages}
    return {"" if name == NON_FIELD_ERRORS else name: texts for name, texts in error.message_dict.items()}


def _worth_saying(error: HttpError) -> str:
    return "" if str(error) == HTTPStatus(error.status_code).phrase else str(error)


def _throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
    response = problem(request, 429, "Too many requests of this user.")
    response["Retry-After"] = str(int(error.wait or BUSY_SECONDS))
    return response


def _busy(request: HttpRequest, error: OperationalError) -> HttpResponse:
    response = problem(request, 503, "The database is busy. Nothing was changed.", "busy")
    response["Retry-After"] = str(BUSY_SECONDS)
    return response


HANDLERS: Dict[Type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    WrongDocument: lambda request, error: problem(request, 422, WRONG, errors=by_field(error)),
    ValidationError: lambda request, error: problem(request, 422, WRONG, errors=messages(error)),
    PermissionDenied: lambda request, error: problem(request, 403, str(error)),
    Conflict: lambda request, error: problem(request, 409, str(error), error.code),
    ObjectDoesNotExist: lambda request, error: problem(request, 404),
    Http404: lambda request, error: problem(request, 404),
    HttpError: lambda request, error: problem(request, error.status_code, _worth_saying(error)),
    Throttled: _throttled,
    OperationalError: _busy,
}


def install(api: NinjaAPI) -> None:
    """Teach the API what each refusal means."""
    for refusal, answer in HANDLERS.items():
        api.add_exception_handler(refusal, answer)


class ProblemMiddleware:
    """Below /api/, turns what Django itself answers (unknown address, method, host; a crash) into the same form.

    An answer with a `detail`, which is said to people too, keeps it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the body of an error replaced by a problem document."""
        response = self.get_response(request)
        if not request.path_info.startswith("/api/") or response.status_code < 400:
            return response
        if response.get("Content-Type", "").split(";")[0] != MEDIA_TYPE:
            replacement = problem(request, response.status_code, getattr(response, "detail", ""))
            response.content = replacement.content
            response["Content-Type"] = MEDIA_TYPE
            response["Content-Length"] = str(len(replacement.content))  # a longer one keeps the client waiting
        return response


def describe(document: Dict[str, Any]) -> None:
    """Write into an OpenAPI document what any of its operations may answer besides its own result."""
    components = document["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        f"Problem{status}": {"description": text, "content": content} for status, text in ANY_ROUTE.items()
    }
    for path in document["paths"].values():
        for operation in path.values():
            for status in ANY_ROUTE:
                operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
