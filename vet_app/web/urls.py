"""Addresses of the pages, a list for each subject."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from web.urls_clinical import CLINICAL
from web.urls_office import OFFICE, REMINDERS
from web.views import (
    account,
    billable,
    calendar,
    invoices,
    login,
    owners,
    pets,
    privacy,
    search,
    second_factor,
    takings,
    team,
    till,
    today,
)

PEOPLE = [
    path("login/", login.ClinicLoginView.as_view(), name="login"),
    path("login/second/", login.second_step, name="login_second"),
    path("login/forgotten/", login.forgotten, name="forgotten"),
    path("login/reset/<str:uid>/<str:token>/", login.reset, name="password_reset"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("lock/", login.lock, name="lock"),
    path("locked/", login.locked, name="locked"),
    path("still-here/", login.still_here, name="still_here"),
    path("password/", team.own_password, name="own_password"),
    path("language/", team.own_language, name="own_language"),
    path("second-step/", second_factor.overview, name="second_factor"),
    path("second-step/app/", second_factor.app, name="second_factor_app"),
    path("second-step/paper/", second_factor.paper, name="second_factor_paper"),
    path("second-step/passkey/", second_factor.passkey, name="second_factor_passkey"),
    path("second-step/passkey/<int:pk>/remove/", second_factor.passkey_remove, name="second_factor_passkey_remove"),
    path("second-step/remove/", second_factor.remove, name="second_factor_remove"),
    path("pin/", second_factor.pin, name="own_pin"),
]
CLIENTS = [
    path("search/", search.search, name="search"),
    path("owners/", owners.owners, name="owners"),
    path("owners/new/", owners.owner_new, name="owner_new"),
    path("owners/<int:pk>/", owners.owner, name="owner"),
    path("owners/<int:pk>/account/", account.owner_account, name="owner_account"),
    path("owners/<int:pk>/account/<int:entry>/receipt/", account.deposit_receipt, name="receipt"),
    path("owners/<int:pk>/privacy/", privacy.privacy, name="owner_privacy"),
    path("owners/<int:pk>/privacy/copy.zip", privacy.person_export, name="person_export"),
    path("owners/<int:pk>/edit/", owners.owner_edit, name="owner_edit"),
    path("owners/<int:owner_pk>/pets/new/", pets.pet_new, name="pet_new"),
    path("pets/<int:pk>/", pets.pet, name="pet"),
    path("pets/<int:pk>/edit/", pets.pet_edit, name="pet_edit"),
    path("pets/<int:pk>/deceased/", pets.pet_deceased, name="pet_deceased"),
    path("pets/<int:pk>/here/", calendar.pet_walk_in, name="pet_walk_in"),
    path("pets/<int:pk>/alive/", pets.pet_alive, name="pet_alive"),
    path("pets/<int:pk>/transfer/", pets.pet_transfer, name="pet_transfer"),
    path("pets/<int:pk>/weigh/", pets.pet_weigh, name="pet_weigh"),
    path("weights/<int:pk>/error/", pets.weight_error, name="weight_error"),
]
CALENDAR = [
    path("", today.today, name="today"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/week/", calendar.week, name="calendar_week"),
    path("waiting/", calendar.waiting_room, name="waiting_room"),
    path("appointments/new/", calendar.appointment_new, name="appointment_new"),
    path("appointments/<int:pk>/", calendar.appointment, name="appointment"),
    path("appointments/<int:pk>/edit/", calendar.appointment_edit, name="appointment_edit"),
    path("appointments/<int:pk>/move/", calendar.appointment_move, name="appointment_move"),
    path("appointments/<int:pk>/status/", calendar.appointment_status, name="appointment_status"),
]
BILLS = [
    path("invoices/", invoices.invoices, name="invoices"),
    path("owners/<int:owner_pk>/invoices/new/", invoices.invoice_new, name="invoice_new"),
    path("owners/<int:owner_pk>/estimates/new/", invoices.invoice_new, {"estimate": True}, name="estimate_new"),
    path("invoices/not-billed/", billable.not_billed, name="not_billed"),
    path("visits/<int:visit_pk>/nothing-to-bill/", billable.nothing_to_bill, name="nothing_to_bill"),
    path("invoices/<int:pk>/", invoices.invoice, name="invoice"),
    path("invoices/<int:pk>/bill/", invoices.estimate_bill, name="estimate_bill"),
    path("invoices/<int:pk>/edit/", invoices.invoice_edit, name="invoice_edit"),
    path("invoices/<int:pk>/issue/", invoices.invoice_issue, name="invoice_issue"),
    path("invoices/<int:pk>/discard/", invoices.invoice_discard, name="invoice_discard"),
    path("invoices/<int:pk>/void/", invoices.invoice_void, name="invoice_void"),
    path("invoices/<int:pk>/credit/", invoices.invoice_credit, name="invoice_credit"),
    path("invoices/<int:pk>/pay/", invoices.invoice_pay, name="invoice_pay"),
    path("takings/", takings.takings, name="takings"),
    path("takings/takings.csv", takings.takings_csv, name="takings_csv"),
    path("takings/owing/", takings.owing_owners, name="owing"),
    path("takings/till/", till.cash_count, name="cash_count"),
    path("invoices/payments/<int:pk>/reverse/", invoices.payment_reverse, name="payment_reverse"),
]

urlpatterns = [*CALENDAR, *PEOPLE, *CLIENTS, *CLINICAL, *BILLS, *REMINDERS, *OFFICE]
