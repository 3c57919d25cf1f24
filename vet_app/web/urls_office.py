"""Addresses of the office: reminders, import and export, the team, the audit trail."""

from __future__ import annotations

from django.urls import path

from web.views import audit, consent, exchange, lists, reminders, settings, team

REMINDERS = [
    path("reminders/", reminders.reminders, name="reminders"),
    path("reminders/send/", reminders.reminders_send, name="reminders_send"),
    path("reminders/letters/", reminders.reminders_letters, name="reminders_letters"),
    path("reminders/end/<str:token>/", consent.reminders_end, name="reminders_end"),
    path("reminders/calls/", reminders.reminders_calls, name="reminders_calls"),
    path("reminders/imported/", reminders.reminders_held, name="reminders_held"),
    path("reminders/list.csv", reminders.reminders_csv, name="reminders_csv"),
]
OFFICE = [
    path("exchange/", exchange.exchange, name="exchange"),
    path("exchange/example.csv", exchange.import_template, name="import_template"),
    path("exchange/clients.csv", exchange.export_clients, name="export_clients"),
    path("exchange/<int:pk>/", exchange.import_preview, name="import_preview"),
    path("exchange/<int:pk>/apply/", exchange.import_apply, name="import_apply"),
    path("exchange/<int:pk>/discard/", exchange.import_discard, name="import_discard"),
    path("exchange/<int:pk>/columns/", exchange.import_mapping, name="import_mapping"),
    path("exchange/<int:pk>/letters/", exchange.import_read_as, name="import_read_as"),
    path("settings/", settings.clinic_page, name="settings"),
    path("settings/logo/", settings.logo_change, name="logo_change"),
    path("logo/", settings.logo, name="logo"),
    path("team/", team.team, name="team"),
    path("team/new/", team.person_new, name="person_new"),
    path("team/<int:pk>/", team.person, name="person"),
    path("team/<int:pk>/password/", team.person_password, name="person_password"),
    path("team/<int:pk>/second-step/", team.person_second_factor, name="person_second_factor"),
    path("team/<int:pk>/tokens/new/", team.token_new, name="token_new"),
    path("team/tokens/<int:pk>/revoke/", team.token_revoke, name="token_revoke"),
    path("lists/", lists.lists, name="all_lists"),
    path("lists/<slug:name>/", lists.lists, name="lists"),
    path("lists/<slug:name>/new/", lists.entry, name="entry_new"),
    path("lists/<slug:name>/<int:pk>/", lists.entry, name="entry"),
    path("audit/", audit.audit, name="audit"),
]
