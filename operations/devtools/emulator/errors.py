"""Refusals in the form of the protocol that a request speaks."""

import gzip
import io
import json
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

REST_JSON = ("dlm", "scheduler")
"""Services that speak JSON and name their operations by paths."""


def refused(request: Request, code: str, message: str, status: int = 400) -> Response:
    """An error as an SDK reads it.

    :param status: 400 for what is wrong, 403 for what is not allowed.
    """
    if any(signed_for(request, service) for service in REST_JSON):
        kind = {"x-amzn-errortype": code}
        return Response(json.dumps({"Message": message}), status, kind, content_type="application/json")
    if request.headers.get("X-Amz-Target"):
        content = json.dumps({"__type": code, "message": message})
        return Response(content, status, content_type="application/x-amz-json-1.1")
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if signed_for(request, "s3"):
        body = f"<Error>{error}</Error>"
    elif signed_for(request, "ec2"):
        body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>refused</RequestID></Response>"
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>refused</RequestId></ErrorResponse>"
    return Response(body, status, content_type="text/xml")


def signed_for(request: Request, service: str) -> bool:
    """Whether a request is meant for a service, by its signature (AWS Signature Version 4: credential scope)."""
    return f"/{service}/aws4_request" in request.headers.get("Authorization", "")


def body_of(request: Request) -> bytes:
    """A request's body, which stays there for the application that reads it next."""
    body = request.get_data()
    request.environ["wsgi.input"] = io.BytesIO(body)
    return body


def content_of(request: Request) -> bytes:
    """What a request's caller wrote: the SDKs compress long calls of some services (botocore: ``request_min_compression_size_bytes``)."""
    body = body_of(request)
    return gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
