"""What the ingress controller writes of each request where its logs leave the node (``services.logs``).

Neither the query nor the path: names stand in the one and the token of a forgotten password in the other. The application's line of the same
request has the route (vet_app/vetclinic/logs.py).
"""

import json
from typing import Any

FIELDS = {
    "time": "$time_iso8601",
    "request_id": "$req_id",
    "method": "$request_method",
    "host": "$host",
    "status": "$status",
    "seconds": "$request_time",
    "bytes": "$bytes_sent",
    "visitor": "$remote_addr",
    "upstream": "$proxy_upstream_name",
    "upstream_seconds": "$upstream_response_time",
    "upstream_status": "$upstream_status",
}
"""Of ingress-nginx (its user guide: log format). The application takes the id over."""

TRAEFIK_FIELDS = (
    "StartUTC",
    "ClientHost",
    "RequestMethod",
    "RequestHost",
    "DownstreamStatus",
    "DownstreamContentSize",
    "Duration",
    "ServiceName",
    "OriginStatus",
    "OriginDuration",
)
"""The same of Traefik (its reference: access logs), which makes no id: the application's comes with the answer."""


def nginx_values() -> dict[str, str]:
    """Keys of the controller's ConfigMap."""
    return {"log-format-escape-json": "true", "log-format-upstream": json.dumps(FIELDS)}


def traefik_values() -> dict[str, Any]:
    """Values of the chart."""
    fields = {
        "general": {"defaultmode": "drop", "names": dict.fromkeys(TRAEFIK_FIELDS, "keep")},
        "headers": {"defaultmode": "drop", "names": {"X-Request-Id": "keep"}},
    }
    return {"logs": {"access": {"enabled": True, "format": "json", "fields": fields}}}
