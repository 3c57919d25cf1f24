"""Changes of users and tokens. Each is audited; only a manager (or the machine itself) may make them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Dict, Optional, Tuple

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import throttle
from accounts.models import ApiToken, LoginAttempt, User
from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record, snapshot
from vetclinic.errors import Changed
from vetclinic.persistence import store

TOKEN_MARK = "vet_"  # noqa: S105 -- lets secret scanners recognise a leaked token; not a secret itself


class Proof(Enum):
    """What somebody has proved with who they are. A PIN is worth less: it only opens a screen that was locked."""

    PASSWORD = "password"  # noqa: S105 -- a name
    PIN = "pin"


def create_user(actor: Actor, username: str, password: str, role: str, **fields: Any) -> User:
    """Create a member of staff. Raises ValidationError for a taken name, an unknown role or a weak password."""
    actor.require(Right.MANAGE)
    user = User(username=username, role=role, **fields)
    validate_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        store(user)
        record(actor, AuditEntry.Action.CREATE, user, {"role": [None, role]})
    return user


def update_user(actor: Actor, user: User, *, version: Optional[int] = None, **fields: Any) -> User:
    """Change name, e-mail, role or whether the user is active; a deactivated user's tokens stop at once.

    Raises Changed where `version` is given and no longer current. Nobody takes their own role or log-in away, so a
    clinic never loses its last manager by a slip.
    """
    actor.require(Right.MANAGE)
    if actor.user_id == user.pk:
        _keep_own_rights(user, fields)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if version not in (None, user.version):
            raise Changed(
                _(
                    "Somebody else has changed this person in the meantime. Check the current values and"
                    " make your change again."
                )
            )
        before = snapshot(user)
        user.version += 1
        for name, value in fields.items():
            if name not in {"first_name", "last_name", "email", "role", "is_active", "must_change_password"}:
                raise TypeError(f"update_user does not change {name}")
            setattr(user, name, value)
        user.full_clean()
        user.save()
        record(actor, AuditEntry.Action.UPDATE, user, before=before)
    return user


def _keep_own_rights(user: User, fields: Dict[str, Any]) -> None:
    own_rights = {"role": user.role, "is_active": True}
    message = _("You cannot change this for yourself. Ask another manager.")
    wrong = {name: [message] for name, value in own_rights.items() if fields.get(name, value) != value}
    if wrong:
        raise ValidationError(wrong)


def set_password(actor: Actor, user: User, password: str) -> None:
    """Give a user a new password; other people's needs a manager, and the user then has to change it.

    It differs from the present one, and ends the wait after failed attempts. Raises ValidationError for one that is
    weak or the same.
    """
    own = actor.user_id == user.pk
    if not own:
        actor.require(Right.MANAGE)
    validate_password(password, user)
    if user.check_password(password):
        raise ValidationError(_("The new password must differ from the current one."))
    with transaction.atomic():
        throttle.forget(user.username)
        user.set_password(password)
        user.must_change_password, user.pin = not own, user.pin if own else ""
        user.save(update_fields=["password", "must_change_password", "pin"])
        record(actor, AuditEntry.Action.UPDATE, user, {"password": [None, "changed"]})


def set_pin(actor: Actor, user: User, pin: str) -> None:
    """Choose one's PIN, "" for none. Raises ValidationError beside `pin` for one that anybody would try first."""
    if actor.user_id != user.pk:
        raise TypeError("a PIN is chosen by the person alone")
    steps = {int(one) - int(other) for one, other in zip(pin[1:], pin)} if pin.isdecimal() else {0}
    if pin and (not 4 <= len(pin) <= 8 or len(steps) == 1):
        raise ValidationError({"pin": [_("Four to eight digits, and neither 1111 nor 1234.")]})
    with transaction.atomic():
        user.pin = make_password(pin) if pin else ""
        user.save(update_fields=["pin"])
        record(actor, AuditEntry.Action.UPDATE, user, {"pin": [None, "changed"]})


def proves(user: User, ip: str, secret: str, *, with_pin: bool = False) -> Optional[Proof]:
    """What this is: the person's password, or where it may be the PIN; None for neither, which the throttle counts.

    Raises PermissionDenied while that is closed.
    """
    attempt = throttle.begin(user.username, ip)
    if attempt.outcome == LoginAttempt.Outcome.BLOCKED:
        raise PermissionDenied(_("Too many failed attempts. Please wait 15 minutes or ask a manager."))
    by_pin = with_pin and secret.isdecimal() and bool(user.pin) and check_password(secret, user.pin)
    if not by_pin and not user.check_password(secret):
        return None
    throttle.finish(attempt, LoginAttempt.Outcome.OK)
    return Proof.PIN if by_pin else Proof.PASSWORD


def choose_language(actor: Actor, user: User, language: str) -> None:
    """Have the pages speak a language to this person alone; "" leaves it to the clinic."""
    if actor.user_id != user.pk:
        actor.require(Right.MANAGE)
    with transaction.atomic():
        before = snapshot(user)
        user.language = User._meta.get_field("language").clean(language, user)
        user.save(update_fields=["language"])
        record(actor, AuditEntry.Action.UPDATE, user, before=before)


def issue_token(actor: Actor, user: User, name: str, expires_at: Optional[datetime] = None) -> Tuple[ApiToken, str]:
    """Make a token for `user`; the second value is the secret, shown once. It lasts 90 days unless told otherwise."""
    actor.require(Right.MANAGE)
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken(
        user=user,
        name=name,
        prefix=secret[:8],
        sha256=hashlib.sha256(secret.encode()).hexdigest(),
        expires_at=expires_at or timezone.now() + timedelta(days=90),
    )
    token.full_clean()
    with transaction.atomic():
        token.save()
        record(actor, AuditEntry.Action.CREATE, token, {"user": [None, user.username]})
    return token, secret


def revoke_token(actor: Actor, token: ApiToken) -> None:
    """Revoke a token permanently."""
    actor.require(Right.MANAGE)
    with transaction.atomic():
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        record(actor, AuditEntry.Action.REVOKE, token)


def user_of_token(secret: str) -> Optional[User]:
    """The active user that a token stands for, or None. Its last use is written at most once a minute."""
    digest = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
    token = ApiToken.objects.select_related("user").filter(sha256=digest).first()
    if token is None or not token.is_valid:
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user
