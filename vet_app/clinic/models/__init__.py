"""The clinic's records, one concept a file."""

from clinic.models.account import AccountEntry, PaymentMethod
from clinic.models.attachment import Attachment
from clinic.models.billing import Invoice, InvoiceCounter, InvoiceLine, Payment, Product
from clinic.models.calendar import Appointment, Vet
from clinic.models.owner import Owner, Phone
from clinic.models.pet import Breed, Pet, Species
from clinic.models.prescription import Prescription
from clinic.models.settings import ClinicSettings
from clinic.models.till import CashCount
from clinic.models.vaccination import Reminder, ReminderNotice, ReminderRun, Vaccination, Vaccine, VaccineLot
from clinic.models.visit import Visit, VisitAmendment

__all__ = [
    "AccountEntry",
    "Appointment",
    "Attachment",
    "Breed",
    "CashCount",
    "ClinicSettings",
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
]
