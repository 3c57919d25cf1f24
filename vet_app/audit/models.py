"""The audit entry: append only, guarded here and by a trigger in PostgreSQL (migration 0002)."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditIsFinal(Exception):
    """Somebody tried to change or delete an audit entry; no code of the clinic ever has to."""


class AppendOnlyQuerySet(models.QuerySet["AuditEntry"]):
    """Refuses the ways round the model's own guard."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AuditIsFinal("The audit trail is append only.")

    update = delete = bulk_update = _refuse


class AuditEntry(models.Model):
    """One action on one record, written in the transaction of the change itself."""

    class Action(models.TextChoices):
        """What was done, in the clinic's words."""

        CREATE = "create", _("Created")
        UPDATE = "update", _("Changed")
        STATUS = "status", _("Status changed")
        OVERBOOK = "overbook", _("Double booking allowed")
        LOCK = "lock", _("Locked")
        AMEND = "amend", _("Amended")
        VOID = "void", _("Voided")
        ISSUE = "issue", _("Issued")
        CREDIT = "credit", _("Credited")
        PAY = "pay", _("Payment taken")
        MERGE = "merge", _("Merged")
        TRANSFER = "transfer", _("Transferred")
        SEND = "send", _("Message sent")
        REVOKE = "revoke", _("Revoked")
        LOGIN = "login", _("Logged in")
        LOGOUT = "logout", _("Logged out")
        VIEW = "view", _("Viewed")
        EXPORT = "export", _("Exported")
        IMPORT = "import", _("Imported")
        RECOVER = "recover", _("Recovered from backup")
        ERASE = "erase", _("Erased")

    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.CharField(_("by"), max_length=150)
    action = models.CharField(_("action"), max_length=12, choices=Action.choices)
    object_type = models.CharField(_("record"), max_length=60)
    object_id = models.CharField(_("record id"), max_length=40)
    object_text = models.CharField(_("record text"), max_length=200)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    ip = models.CharField(_("address"), max_length=45, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["object_type", "object_id"], name="audit_object")]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.object_type} {self.object_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry; raises AuditIsFinal for one that exists."""
        if not self._state.adding:
            raise AuditIsFinal("The audit trail is append only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Always raises AuditIsFinal."""
        raise AuditIsFinal("The audit trail is append only.")
