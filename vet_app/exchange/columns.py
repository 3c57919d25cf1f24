"""The columns of the one table that goes in and out: an owner, perhaps a pet, perhaps a vaccination of it, in each row.

The headings are the same in every language, so that a file can go to another clinic; on the way in, other usual words
and their German ones are understood as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterator, Tuple

from clinic.folding import fold
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
            others += ",mobile,handy,phone 1"
        yield Column(f"phone_{position}", f"Phone{mark}", others, "+1 555-0161" if position == 1 else "")
        label = "mobile" if position == 1 else ""
        yield Column(f"phone_label_{position}", f"Phone{mark} label", f"telefon{mark} art", label)


OWNER = (
    Column("owner_number", "Owner number", "client number,client id,owner id,customer number,kundennummer", "1001"),
    Column("last_name", "Last name", "surname,family name,owner last name,nachname,name", "Example"),
    Column("first_name", "First name", "given name,forename,owner first name,vorname", "Ada"),
    Column("email", "E-mail", "mail,e-mail address", "ada@example.com"),
    Column("address", "Address", "postal address,adresse,anschrift", "1 Example Street, Exampleton"),
    *_phones(),
    Column("contact_preference", "Prefers", "preferred contact,kontakt", "phone"),
    Column("reminder_consent", "Agrees to reminders", "reminders,consent,erinnerungen", "yes"),
    Column("owner_notes", "Owner notes", "client notes,kundennotiz"),
)
PET = (
    Column("pet_number", "Pet number", "patient number,patient id,pet id,patientennummer", "2001"),
    Column("pet", "Pet", "pet name,patient,patient name,animal,tier,tiername", "Pepper"),
    Column("species", "Species", "tierart", "Dog"),
    Column("breed", "Breed", "rasse", "Beagle"),
    Column("sex", "Sex", "gender,geschlecht", "female"),
    Column("neutered", "Neutered", "spayed,castrated,kastriert", "yes"),
    Column("birth_date", "Birth date", "date of birth,dob,born,geburtsdatum,geboren", "2021-05-17"),
    Column("birth_date_estimated", "Birth date is estimated", "estimated,geburtsdatum geschatzt", "no"),
    Column("colour", "Colour", "color,farbe", "tricolour"),
    Column("microchip", "Microchip", "chip,chip number,microchip number,chipnummer,transponder", "900000000000001"),
    Column("tag", "Tag", "tag number,tattoo,marke", ""),
    Column("alert", "Alert", "warning,warnung,hinweis", ""),
    Column("deceased_on", "Died on", "deceased,date of death,verstorben am", ""),
    Column("pet_notes", "Pet notes", "patient notes,notes,notizen"),
)
VACCINATION = (
    Column("vaccine", "Vaccine", "vaccination,impfstoff,impfung", "Rabies (dog, 1 year)"),
    Column("given_on", "Given on", "vaccinated on,vaccination date,geimpft am,impfdatum", "2026-03-02"),
    Column("due_on", "Next due", "due,due on,due date,fallig am", "2027-03-02"),
    Column("vet", "Vet", "veterinarian,given by,tierarzt"),
    Column("given_elsewhere", "Given elsewhere", "auswarts geimpft", "yes"),
    Column("manufacturer", "Manufacturer", "hersteller", "Fictovax"),
    Column("lot", "Lot", "lot number,batch,charge", "L2041A"),
    Column("lot_expiry", "Lot expires", "lot expiry,expiry,verfall"),
    Column("vaccination_tag", "Vaccination tag", "rabies tag,impfmarke"),
)
ALL: Tuple[Column, ...] = OWNER + PET + VACCINATION
BY_HEADING: Dict[str, Column] = {heading: column for column in ALL for heading in column.headings()}
NEVER = "never"  # in "Next due": this vaccination needs no other; an empty cell leaves it to the vaccine's interval
