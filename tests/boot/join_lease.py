"""A turn to join that another server holds, with the time at which it was renewed last."""

from datetime import UTC, datetime, timedelta

from tests.boot.sandbox import Sandbox

HOLDER = "ip-10-0-11-10.ec2.internal"


def timestamp(ago: timedelta) -> str:
    """A moment before now, or after it for a negative span, as Kubernetes writes it."""
    return (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def hold_join_lease(sandbox: Sandbox, renewed: str) -> None:
    """Have ``HOLDER`` hold the turn in the cluster that stands."""
    state = sandbox.state
    state["clusters"]["cluster-0"]["leases"]["vet-server-join"] = {"holder": HOLDER, "renewed": renewed, "version": 7}
    sandbox.write(state)
