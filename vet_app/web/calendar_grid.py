"""The day of the calendar as a table: a column for each vet, a row for each slot, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Dict, Iterable, List, Mapping, Sequence, Tuple

from clinic.models import Appointment, Vet
from clinic.opening import Span


@dataclass
class Cell:
    """Free where there are no `items`; otherwise the appointments that overlap one another, over `span` rows."""

    vet: Vet
    start: time
    items: List[Appointment] = field(default_factory=list)
    span: int = 1
    closed: bool = False
    """Whether the clinic is closed then, or the vet does not work; anybody who books it is asked once more."""


@dataclass
class Row:
    """One slot, with the cells that begin in it; a vet whose appointment began earlier has none."""

    start: time
    cells: List[Cell] = field(default_factory=list)


@dataclass
class Cluster:
    """Appointments of one vet that overlap, in rows counted from the first."""

    first: int
    end: int
    items: List[Appointment]


def grid(
    day: date,
    vets: Sequence[Vet],
    appointments: Iterable[Appointment],
    works: Mapping[int, Sequence[Span]],
    shown: Span,
    minutes: int,
) -> List[Row]:
    """Rows over `shown`, from opening to closing, and longer where an appointment is outside; times are the clinic's.

    `appointments` carry local times (timezone.localtime) and occupy their vet. `works` says by a vet's number when
    that vet can be booked; other free cells are closed.
    """
    items = list(appointments)
    starts = [_minute(item.starts_at, day) for item in items]
    ends = [_minute(item.ends_at, day) for item in items]
    first = min([_of(shown[0]), *starts]) // minutes * minutes
    last = max([_of(shown[1]), *ends])
    count = -(-(last - first) // minutes)
    rows = [Row(_time(first + index * minutes)) for index in range(count)]
    for vet in vets:
        own = [
            (start, end, item) for start, end, item in zip(starts, ends, items) if item.vet_id == vet.pk
        ]  # fmt: skip
        _fill(rows, vet, _clusters(own, first, minutes))
        for row in rows:
            for cell in row.cells:
                if cell.vet is vet and not cell.items:
                    cell.closed = not any(opens <= cell.start < closes for opens, closes in works.get(vet.pk, ()))
    return rows


def _clusters(own: List[Tuple[int, int, Appointment]], first: int, minutes: int) -> List[Cluster]:
    clusters: List[Cluster] = []
    for start, end, item in sorted(own, key=lambda each: (each[0], each[1], each[2].pk or 0)):
        begin, stop = (start - first) // minutes, max(-(-(end - first) // minutes), (start - first) // minutes + 1)
        if clusters and begin < clusters[-1].end:
            clusters[-1].items.append(item)
            clusters[-1].end = max(clusters[-1].end, stop)
        else:
            clusters.append(Cluster(begin, stop, [item]))
    return clusters


def _fill(rows: List[Row], vet: Vet, clusters: List[Cluster]) -> None:
    at: Dict[int, Cluster] = {cluster.first: cluster for cluster in clusters}
    index = 0
    while index < len(rows):
        cluster = at.get(index)
        cell = Cell(vet, rows[index].start)
        if cluster is not None:
            cell.items, cell.span = cluster.items, min(cluster.end, len(rows)) - index
        rows[index].cells.append(cell)
        index += cell.span


def _of(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _minute(at: datetime, day: date) -> int:
    """Minutes from midnight of the day; what began before or ends later is cut off."""
    if at.date() != day:
        return 0 if at.date() < day else 24 * 60
    return _of(at.time())


def _time(minute: int) -> time:
    return (datetime.min + timedelta(minutes=minute)).time()
