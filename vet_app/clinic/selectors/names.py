"""Names as people type them: in another spelling, or with a letter wrong."""

from __future__ import annotations

from typing import Any, List, Sequence, Type, TypeVar

from django.db.models import F, FloatField, Func, Model, Q, QuerySet, Value

from clinic.normalization import fold, spellings

Row = TypeVar("Row", bound=Model)
MOST_LETTERS = 100
NEAR = 0.4  # `okafro` and `Okafor` have 0.57, `muler` and `Müller` 0.67, `biscut` and `Biscuit` 0.71


def words_of(text: str) -> List[str]:
    """The words of a query; `Müller, Maren` has the same as `Maren Müller`."""
    return text.replace("\x00", "").replace(",", " ").replace(";", " ")[:MOST_LETTERS].split()


def named(word: str, *columns: str) -> Q:
    """Whether one of these folded columns has a word, in any of its spellings."""
    condition = Q()
    for spelling in spellings(word):
        for column in columns:
            condition |= Q(**{f"{column}__contains": spelling})
    return condition


def any_of(model: Type[Model], conditions: Sequence[Q]) -> Q:
    """Rows that meet one of these conditions, which are asked one by one and united.

    Written as a choice, conditions on several tables are served by no index, and PostgreSQL expects half of all rows.
    """
    first, *others = [model._default_manager.filter(each).values("pk").order_by() for each in conditions]
    return Q(pk__in=first.union(*others))


def nearest(rows: QuerySet[Row], text: str, most: int, *, least: float = NEAR) -> List[Row]:
    """Those whose `search_name` is written most like a text, for somebody who mistyped it; the likest first.

    Likeness is PostgreSQL's word_similarity (https://www.postgresql.org/docs/current/pgtrgm.html); SQLite has it from
    `vetclinic.sqlite.trigrams`. It looks at every row, so it is asked only where nothing was found.
    """
    folded = fold(" ".join(words_of(text)))
    if len(folded) < 3:
        return []
    likeness: Any = Func(Value(folded), F("search_name"), function="word_similarity", output_field=FloatField())
    return list(rows.annotate(likeness=likeness).filter(likeness__gte=least).order_by("-likeness", "pk")[:most])
