"""A file that waits between its preview and its import."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Record


class ImportFile(Record):
    """An uploaded CSV file. Its content is kept until it is imported or discarded, and then emptied.

    The daily run empties one that has waited for more than a day.

    It lives in the database because the request that imports it may reach the other replica.
    """

    class Status(models.TextChoices):
        """Where it stands."""

        STAGED = "staged", _("Waiting")
        APPLIED = "applied", _("Imported")
        DISCARDED = "discarded", _("Discarded")

    class Dates(models.TextChoices):
        """How to read 03/04/2024. Dates such as 2024-04-03 and 3.4.2024 are always understood."""

        AUTO = "auto", _("Detect automatically")
        DAY_FIRST = "dmy", _("Day first (31/12/2024)")
        MONTH_FIRST = "mdy", _("Month first (12/31/2024)")

    class Encoding(models.TextChoices):
        """How the letters of a file that is not in Unicode are read."""

        AUTO = "", _("Detect automatically")
        UTF8 = "utf-8", _("Unicode (UTF-8)")
        WESTERN = "cp1252", _("Western European (Windows)")
        CENTRAL = "cp1250", _("Central European (Windows)")
        MAC = "mac_roman", _("Western European (Mac)")

    class Duplicates(models.TextChoices):
        """What to do with possible duplicates of recorded owners."""

        SKIP = "skip", _("Skip them")
        CREATE = "create", _("Import them as new owners")

    class Kind(models.TextChoices):
        """What the rows are about."""

        CLIENTS = "clients", _("Owners, pets and their records")
        PRICES = "prices", _("The price list")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(_("file"), max_length=120)
    sha256 = models.CharField(max_length=64, editable=False)
    content = models.BinaryField()
    dates = models.CharField(_("dates"), max_length=4, choices=Dates.choices, default=Dates.AUTO)
    duplicates = models.CharField(
        _("possible duplicates"), max_length=6, choices=Duplicates.choices, default=Duplicates.SKIP
    )
    encoding = models.CharField(
        _("character encoding"), max_length=10, blank=True, choices=Encoding.choices, default=""
    )
    kind = models.CharField(_("content"), max_length=10, choices=Kind.choices, default=Kind.CLIENTS)
    mapping = models.JSONField(default=dict, editable=False)
    """What people have said about its headings and words (`exchange.mapping`)."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.STAGED, editable=False)
    previewed = models.CharField(max_length=64, blank=True, editable=False)  # fingerprint of the report people saw

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("import file")
        verbose_name_plural = _("import files")

    def __str__(self) -> str:
        return self.name


class HeadingMapping(Record):
    """What people have said about files with these headings, for the next one of the same program."""

    kind = models.CharField(max_length=10, choices=ImportFile.Kind.choices)
    headings = models.CharField(max_length=64, editable=False)
    mapping = models.JSONField(default=dict)

    refusals: ClassVar = {"heading_mapping_once": ("headings", _("These headings are known already."))}

    class Meta:
        verbose_name = _("known headings")
        verbose_name_plural = _("known headings")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "headings"], name="heading_mapping_once"),
        ]

    def __str__(self) -> str:
        return self.headings
