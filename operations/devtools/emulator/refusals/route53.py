"""Route 53 refuses a whole batch of changes if the zone would not be sound after it (ChangeResourceRecordSets: InvalidChangeBatch).

Sources: Route 53 developer guide, supported DNS record types (CNAME): not at the top of a zone, and nothing next to it; Route 53 API
reference, Change: CREATE wants that there is no such record.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.route53.models import Route53Backend

from operations.devtools.emulator.replacing import replace


class InvalidChangeBatch(ServiceException):
    """Nothing of the batch is done."""

    code = "InvalidChangeBatch"


def install() -> None:
    """Judge each batch before moto carries it out."""
    change = Route53Backend.change_resource_record_sets

    def change_resource_record_sets(self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
        zone = self.get_hosted_zone(zoneid)
        _judge(zone.name.strip("."), zone.rrsets, change_list)
        change(self, zoneid, change_list)
        _forget_deleted(zone.rr_changes, change_list)

    replace(Route53Backend, "change_resource_record_sets", change_resource_record_sets)


def _forget_deleted(journal: list[dict[str, Any]], changes: list[dict[str, Any]]) -> None:
    """Take what is deleted out of moto's journal, which refuses a record that was made before, although it is gone."""
    gone = {_of(each) for each in changes if each["Action"] == "DELETE"}
    journal[:] = [each for each in journal if _of(each) not in gone]


def _of(change: dict[str, Any]) -> tuple[str, str, str | None]:
    record = change["ResourceRecordSet"]
    return _key(record["Name"], record["Type"], record.get("SetIdentifier"))


def _judge(zone: str, records: Iterable[Any], changes: list[dict[str, Any]]) -> None:
    """Play the changes on the records' names, types and identifiers, and look at what comes out."""
    held = {_key(each.name, each.type, each.set_identifier) for each in records}
    for each in changes:
        record = each["ResourceRecordSet"]
        key = _key(record["Name"], record["Type"], record.get("SetIdentifier"))
        if each["Action"] == "CREATE" and key in held:
            raise InvalidChangeBatch(
                f"[Tried to create resource record set [name='{key[0]}.', type='{key[1]}'] but it already exists]"
            )
        (held.discard if each["Action"] == "DELETE" else held.add)(key)
    types = defaultdict(set)
    for name, type_, _ in held:
        types[name].add(type_)
    for each in changes:
        _judge_aliases(each["ResourceRecordSet"], types, zone)


def _judge_aliases(record: Mapping[str, Any], types: Mapping[str, set[str]], zone: str) -> None:
    """A CNAME stands alone, and below the top of its zone."""
    name, type_ = _key(record["Name"], record["Type"], None)[:2]
    beside = types.get(name, set())
    if "CNAME" not in beside:
        return
    if name == zone:
        message = f"[RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone {zone}.]"
    elif type_ == "CNAME" and len(beside) > 1:
        message = (
            f"[RRSet of type CNAME with DNS name {name}. is not permitted as it conflicts with other records "
            f"with the same DNS name in zone {zone}.]"
        )
    elif type_ != "CNAME" and type_ in beside:
        message = (
            f"[RRSet of type {type_} with DNS name {name}. is not permitted because a conflicting RRSet of type CNAME "
            f"with the same DNS name already exists in zone {zone}.]"
        )
    else:
        return
    raise InvalidChangeBatch(message)


def _key(name: str, type_: str, identifier: Any) -> tuple[str, str, Any]:
    return name.strip(".").lower(), type_, identifier
