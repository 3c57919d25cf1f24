"""The one search box."""

from __future__ import annotations

from typing import Any, List

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.roles import Right
from clinic.selectors.search import search as find
from web.support import needs


@needs(Right.VIEW)
def search(request: HttpRequest) -> HttpResponse:
    """Owners and pets; for htmx only the list below the box. What is found alone is opened: a reader sends Enter."""
    query = request.GET.get("q", "").strip()
    results = find(query)
    htmx = getattr(request, "htmx", False)
    alone: List[Any] = [*results.pets, *results.owners, *results.bills]
    if not htmx and len(alone) == 1 and not results.near:
        return redirect(alone[0])
    template = "web/search/results.html" if htmx else "web/search/search.html"
    return render(request, template, {"query": query, "results": results})
