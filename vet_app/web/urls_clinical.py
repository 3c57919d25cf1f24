"""Addresses of visits, vaccinations, prescriptions, files, records and merging."""

from __future__ import annotations

from django.urls import path

from web.views import attachments, drugs, merging, prescriptions, record, vaccinations, visits

CLINICAL = [
    path("pets/<int:pet_id>/visits/new/", visits.new, name="visit_new"),
    path("visits/<int:visit_id>/", visits.show, name="visit"),
    path("visits/<int:visit_id>/edit/", visits.edit, name="visit_edit"),
    path("visits/<int:visit_id>/lock/", visits.lock, name="visit_lock"),
    path("visits/<int:visit_id>/error/", visits.entered_in_error, name="visit_error"),
    path("visits/<int:visit_id>/amend/", visits.amend, name="visit_amend"),
    path("pets/<int:pet_id>/vaccinations/", vaccinations.history, name="vaccination_history"),
    path("pets/<int:pet_id>/vaccinations/new/", vaccinations.new, name="vaccination_new"),
    path("vaccinations/<int:vaccination_id>/certificate/", vaccinations.certificate, name="certificate"),
    path("vaccinations/<int:vaccination_id>/due-date/", vaccinations.due_date, name="vaccination_due"),
    path("vaccinations/<int:vaccination_id>/error/", vaccinations.entered_in_error, name="vaccination_error"),
    path("visits/<int:visit_id>/prescriptions/new/", prescriptions.new, name="prescription_new"),
    path("visits/<int:visit_id>/prescription/", prescriptions.paper, name="prescription_paper"),
    path("drugs/", drugs.drugs, name="drugs"),
    path("drugs/<int:drug_id>/", drugs.drug_log, name="drug_log"),
    path("prescriptions/<int:prescription_id>/label/", prescriptions.label, name="prescription"),
    path("prescriptions/<int:prescription_id>/void/", prescriptions.void, name="prescription_void"),
    path("pets/<int:pet_id>/attachments/new/", attachments.new, name="pet_attach"),
    path("attachments/<int:attachment_id>/", attachments.download, name="attachment"),
    path("attachments/<int:attachment_id>/picture/", attachments.picture, name="attachment_picture"),
    path("attachments/<int:attachment_id>/error/", attachments.entered_in_error, name="attachment_error"),
    path("pets/<int:pet_id>/record/", record.show, name="pet_record"),
    path("pets/<int:pet_id>/record.zip", record.download, name="pet_record_download"),
    path("owners/<int:owner_id>/merge/", merging.owners, name="owner_merge"),
    path("pets/<int:pet_id>/merge/", merging.pets, name="pet_merge"),
]
