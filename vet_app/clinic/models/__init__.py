"""The clinic's records, one concept a file."""

from clinic.models.account import AccountEntry, PaymentMethod
from clinic.models.attachment import Attachment
from clinic.models.billing import Invoice, InvoiceCounter, InvoiceLine, Payment, Product
from clinic.models.calendar import Appointment, DaysOff, Vet
from clinic.models.drug_log import ControlledDrug, DrugEntry
from clinic.models.owner import Owner, Phone
from clinic.models.pet import Breed, Pet, Species
from clinic.models.prescription import Prescription
from clinic.models.settings import ClinicLogo, ClinicSettings
from clinic.models.till import CashCount
from clinic.models.vaccination import (
    AppointmentNotice,
    Reminder,
    ReminderNotice,
    ReminderRun,
    Vaccination,
    Vaccine,
    VaccineLot,
)
from clinic.models.visit import Visit, VisitAmendment, Weighing

__all__ = [
    "AccountEntry",
    "Appointment",
    "AppointmentNotice",
    "Attachment",
    "Breed",
    "CashCount",
    "ClinicLogo",
    "ClinicSettings",
    "ControlledDrug",
    "DaysOff",
    "DrugEntry",
    "Invoice",
    "InvoiceCounter",
    "InvoiceLine",
    "Owner",
    "Payment",
    "PaymentMethod",
    "Pet",
    "Phone",
    "Prescription",
    "Product",
    "Reminder",
    "ReminderNotice",
    "ReminderRun",
    "Species",
    "Vaccination",
    "Vaccine",
    "VaccineLot",
    "Vet",
    "Visit",
    "VisitAmendment",
    "Weighing",
]
