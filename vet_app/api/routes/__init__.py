"""The routes, one file a concept."""

from typing import Dict

from ninja import Router

from api.routes import (
    appointments,
    attachments,
    export,
    invoices,
    owners,
    pets,
    prescriptions,
    reference,
    reminders,
    search,
    vaccinations,
    visits,
)

ROUTERS: Dict[str, Router] = {
    "/owners": owners.router,
    "/pets": pets.router,
    "/appointments": appointments.router,
    "/visits": visits.router,
    "/vaccinations": vaccinations.router,
    "/prescriptions": prescriptions.router,
    "/attachments": attachments.router,
    "/export": export.router,
    "/reminders": reminders.router,
    "/invoices": invoices.router,
    "/search": search.router,
    "/reference": reference.router,
}
