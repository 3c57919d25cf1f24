"""The columns of the one table that goes in and out: an owner, perhaps a pet, perhaps a vaccination of it, in each row.

The headings are the same in every language, so that a file can go to another clinic; on the way in, other usual words
and German and French ones are understood as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, Tuple

from clinic.normalization import fold
from clinic.services.owners import MOST_PHONES


@dataclass(frozen=True)
class Column:
    """A column: its name in the code, the heading that an export writes, other headings, and an example."""

    key: str
    heading: str
    others: str = ""
    example: str = ""

    def headings(self) -> Iterator[str]:
        """All headings that mean this column, in the form of `plain`."""
        yield plain(self.heading)
        yield from (plain(word) for word in self.others.split(",") if word)


def plain(heading: str) -> str:
    """A heading without case, accents and punctuation: `E-Mail:` and `e_mail` are the same."""
    return re.sub(r"[\W_]+", "", fold(heading))


def _phones() -> Iterator[Column]:
    for position in range(1, MOST_PHONES + 1):
        mark = "" if position == 1 else f" {position}"
        others = f"telephone{mark},phone number{mark},tel{mark},telefon{mark}"
        if position == 1:
            others += ",mobile,handy,phone 1,cell,cell phone,home phone,primary phone,client phone,mobile phone"
        yield Column(f"phone_{position}", f"Phone{mark}", others, "+1 555-0161" if position == 1 else "")
        label = "mobile" if position == 1 else ""
        yield Column(f"phone_label_{position}", f"Phone{mark} label", f"telefon{mark} art", label)


OWNER = (
    Column(
        "owner_number",
        "Owner number",
        "client number,client id,client no,owner id,account number,account no,customer number,kundennummer,"
        "numero client",
        "1001",
    ),
    Column(
        "last_name",
        "Last name",
        "surname,family name,owner last name,client last name,owner surname,nachname,name,nom,nom de famille",
        "Example",
    ),
    Column("first_name", "First name", "given name,forename,owner first name,client first name,vorname,prenom", "Ada"),
    Column("email", "E-mail", "mail,e-mail address,client email,owner email,courriel", "ada@example.com"),
    Column(
        "address",
        "Address",
        "postal address,client address,street address,mailing address,adresse,anschrift,adresse postale",
        "1 Example Street, Exampleton",
    ),
    Column("postal_code", "Postal code", "zip,zip code,zipcode,postcode,postal,plz,postleitzahl,code postal,cp", ""),
    Column("city", "City", "town,suburb,locality,ort,stadt,wohnort,ville,commune", ""),
    Column("state", "State", "province,county,region,bundesland", ""),
    *_phones(),
    Column("contact_preference", "Prefers", "preferred contact,kontakt", "phone"),
    Column(
        "reminder_consent", "Agrees to reminders", "reminders,consent,erinnerungen,rappels,accepte les rappels", "yes"
    ),
    Column("owner_notes", "Owner notes", "client notes,kundennotiz,remarques client"),
)
PET = (
    Column(
        "pet_number",
        "Pet number",
        "patient number,patient id,patient no,pet id,animal id,patientennummer,numero animal",
        "2001",
    ),
    Column("pet", "Pet", "pet name,patient,patient name,animal,tier,tiername,nom de l animal", "Pepper"),
    Column("species", "Species", "patient species,animal type,tierart,espece", "Dog"),
    Column("breed", "Breed", "patient breed,rasse,race", "Beagle"),
    Column("sex", "Sex", "gender,patient sex,sex status,geschlecht,sexe", "female"),
    Column(
        "neutered", "Neutered", "spayed,castrated,altered,fixed,spayed neutered,spay neuter,kastriert,sterilise", "yes"
    ),
    Column(
        "birth_date",
        "Birth date",
        "date of birth,dob,born,birthdate,birthday,geburtsdatum,geboren,date de naissance",
        "2021-05-17",
    ),
    Column(
        "birth_date_estimated",
        "Birth date is estimated",
        "estimated,geburtsdatum geschatzt,date de naissance estimee",
        "no",
    ),
    Column("colour", "Colour", "color,farbe,couleur,robe", "tricolour"),
    Column(
        "microchip",
        "Microchip",
        "chip,chip id,chip number,microchip id,microchip no,microchip number,chipnummer,transponder,puce,"
        "numero de puce,identification",
        "900000000000001",
    ),
    Column("tag", "Tag", "tag number,tattoo,marke,medaille,tatouage", ""),
    Column("alert", "Alert", "warning,warnung,hinweis,alerte", ""),
    Column("deceased_on", "Died on", "deceased,date of death,verstorben am,date de deces", ""),
    Column("pet_notes", "Pet notes", "patient notes,notes,notizen,remarques"),
)
VACCINATION = (
    Column("vaccine", "Vaccine", "vaccination,vaccine name,impfstoff,impfung,vaccin", "Rabies (dog, 1 year)"),
    Column(
        "given_on",
        "Given on",
        "vaccinated on,vaccination date,date given,vaccine date,geimpft am,impfdatum,date de vaccination",
        "2026-03-02",
    ),
    Column(
        "due_on",
        "Next due",
        "due,due on,due date,next due date,expiration date,fallig am,prochain rappel",
        "2027-03-02",
    ),
    Column("vet", "Vet", "veterinarian,given by,tierarzt,veterinaire"),
    Column("given_elsewhere", "Given elsewhere", "auswarts geimpft,vaccine ailleurs", "yes"),
    Column("manufacturer", "Manufacturer", "hersteller,fabricant,laboratoire", "Fictovax"),
    Column("lot", "Lot", "lot number,lot no,batch,batch number,serial number,serial no,charge,numero de lot", "L2041A"),
    Column("lot_expiry", "Lot expires", "lot expiry,expiry,verfall,peremption"),
    Column("vaccination_tag", "Vaccination tag", "rabies tag,impfmarke"),
)
ALL: Tuple[Column, ...] = OWNER + PET + VACCINATION
"""What an export writes and an import reads back."""
BALANCE = (Column("balance", "Open balance", "balance,account balance,amount due,saldo,offener betrag,solde", "0"),)
WEIGHT = (
    Column("weight", "Weight", "weight kg,weight lb,weight lbs,current weight,last weight,gewicht,poids", "12.4 kg"),
    Column("weighed_on", "Weighed on", "weight date,gewogen am,date de pesee", "2026-03-02"),
)
VISIT = (
    Column("visit_on", "Visit on", "visit date,date of visit,exam date,consultation date,behandelt am,consulte le"),
    Column("visit_vet", "Visit vet", "seen by,examined by,attending vet,behandelt von,veterinaire traitant"),
    Column("subjective", "History", "subjective,complaint,reason for visit,anamnese,motif de consultation"),
    Column("objective", "Findings", "objective,exam findings,befund,examen clinique"),
    Column("assessment", "Assessment", "diagnosis,diagnose,diagnostic"),
    Column("plan", "Plan", "treatment,therapie,traitement"),
)
READ: Tuple[Column, ...] = ALL + BALANCE + WEIGHT + VISIT
"""What an import of clients reads."""
PRICES = (
    Column("code", "Code", "item code,product code,item,sku,artikelnummer,nummer,code article", "EXAM"),
    Column(
        "name", "Name", "description,product,product name,service,item name,bezeichnung,leistung,libelle", "Check-up"
    ),
    Column("kind", "Kind", "category,type,art,categorie", "service"),
    Column("unit_price", "Price", "unit price,net price,selling price,fee,preis,einzelpreis,prix", "45.00"),
    Column("tax_rate", "Tax (%)", "tax,tax rate,vat,vat rate,mwst,ust,steuer,tva", "19"),
)
"""What an import of a price list reads."""
YES_OR_NO = {"neutered", "birth_date_estimated", "reminder_consent", "given_elsewhere"}
VALUES = {"species", "sex", "vaccine", "vet", "visit_vet", "contact_preference", "kind", *YES_OR_NO}
"""Columns whose words may be told to mean others, for the whole file."""
PHONES = {f"phone_{position}" for position in range(1, MOST_PHONES + 1)}
IDENTIFIERS = {"owner_number", "pet_number", "microchip", "tag", "lot", "vaccination_tag", *PHONES}
"""What looks like a number and is none, so a spreadsheet may have changed it."""


def by_heading(wanted: Iterable[Column]) -> Dict[str, Column]:
    """Columns by all the headings that mean them."""
    return {heading: column for column in wanted for heading in column.headings()}


NEVER = "never"  # in "Next due": this vaccination needs no other; an empty cell leaves it to the vaccine's interval
