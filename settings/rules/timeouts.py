"""Rules about time-outs: each hop nearer to the application keeps an idle connection longer."""

from collections.abc import Iterator
from typing import Any

from settings.cluster import ClusterSettings
from settings.load_balancer import LoadBalancer
from settings.problems import Finding
from settings.rules.registry import error
from settings.timeouts import MARGIN, UnreadableError, pairs


@error
def inner_sides_outlast_outer_ones(
    load_balancer: LoadBalancer, cluster: ClusterSettings, values: dict[str, dict[str, Any]]
) -> Iterator[Finding]:
    """Else the inner side closes a connection on which a request is just coming: a 502, or a page without its database
    (``settings/timeouts.py``)."""
    try:
        for pair in pairs(load_balancer, cluster.ingress, values):
            if not pair.holds:
                setting = pair.longer if pair.longer.given and pair.longer.key else pair.shorter
                rule = f"must leave {MARGIN} s: {pair}, or requests meet a connection that is just being closed"
                yield Finding(setting.key, rule, pair.remedy)
    except UnreadableError as unreadable:
        rule = "must be a duration, such as 600 s or 10min: how long it keeps an idle connection cannot be told"
        yield Finding(unreadable.key, rule, "write a number with its unit, or leave it out")
