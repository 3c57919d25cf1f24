"""PostgreSQL's word_similarity for SQLite: how much of one text is written like a part of another.

Both are taken apart into groups of three letters, each word with two spaces in front and one behind. The likeness is
the greatest that the groups of one have with any stretch of the other's
(https://www.postgresql.org/docs/current/pgtrgm.html).
"""

from __future__ import annotations

import re
from typing import List, Optional


def groups(text: str) -> List[str]:
    """The groups of three letters of all words, in their order."""
    padded = [f"  {word} " for word in re.findall(r"[^\W_]+", text)]
    return [word[start : start + 3] for word in padded for start in range(len(word) - 2)]


def word_similarity(part: Optional[str], whole: Optional[str]) -> Optional[float]:
    """From 0.0 (nothing in common) to 1.0 (`part` stands in `whole`); None where either is null."""
    if part is None or whole is None:
        return None
    wanted, there = set(groups(part)), groups(whole)
    shared = [position for position, group in enumerate(there) if group in wanted]
    best = 0.0
    for index, first in enumerate(shared):  # the best stretch begins and ends with a group that both have
        for last in shared[index:]:
            stretch = set(there[first : last + 1])
            best = max(best, len(wanted & stretch) / len(wanted | stretch))
    return best
