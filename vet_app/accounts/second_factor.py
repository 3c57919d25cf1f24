"""The second step at log-in: codes of an app (TOTP), codes on paper for the day it is lost, and passkeys."""

from __future__ import annotations

from typing import List, Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django_otp import devices_for_user, match_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import SMOKE_TEST, Passkey, User
from accounts.roles import Right, Role
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from vetclinic.errors import Conflict

PAPER_CODES = 8


def is_set_up(user: User) -> bool:
    """Whether the person logs in with a second step."""
    return app_of(user) is not None or user.passkeys.exists()


def is_missing(user: User) -> bool:
    """Whether the clinic wants a second step of this person who has none yet.

    Never of the test after a deploy: no person has its account, and its password is another one each time.
    """
    from clinic.models import ClinicSettings
    from clinic.selectors.settings import clinic_settings  # the clinic builds on accounts

    if user.username == SMOKE_TEST and user.role == Role.READONLY:
        return False
    wanted = clinic_settings().second_factor
    if wanted == ClinicSettings.SecondFactor.OPTIONAL:
        return False
    if wanted == ClinicSettings.SecondFactor.MANAGERS and user.role != Role.MANAGER:
        return False
    return not is_set_up(user)


def app_of(user: User) -> Optional[TOTPDevice]:
    """The app that gives codes, once a first code has proved that it does."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def begun_app(user: User) -> TOTPDevice:
    """The app that is being set up: its secret stays the same until a first code has come."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, name="app", confirmed=False)


def confirm_app(actor: Actor, user: User, code: str) -> List[str]:
    """Take a first code of the app; returns codes to keep on paper. Raises ValidationError beside `code`."""
    _own(actor, user)
    with transaction.atomic():
        app = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if app is None:
            raise Conflict(_("An app is set up already. Remove it first."))
        if app.verify_token(code.replace(" ", "")):
            TOTPDevice.objects.filter(user=user, confirmed=True).delete()
            app.confirmed = True
            app.save()
            record(actor, AuditEntry.Action.UPDATE, user, {"second_factor": [None, "app"]})
            return new_paper_codes(actor, user)
    raise ValidationError({"code": [_("This code is wrong. Wait for the next one and try again.")]})


def new_paper_codes(actor: Actor, user: User) -> List[str]:
    """Codes that work once each where the app or the passkey is lost; the codes before stop working."""
    _own(actor, user)
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="paper")
        codes = [StaticToken.random_token() for _number in range(PAPER_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
        record(actor, AuditEntry.Action.UPDATE, user, {"paper_codes": [None, PAPER_CODES]})
    return codes


def paper_codes_left(user: User) -> int:
    """How many of the codes on paper have not been used."""
    return int(StaticToken.objects.filter(device__user=user).count())


def is_right(user: User, code: str) -> bool:
    """Whether this is a code of the person's app, or one on paper, which then is used up.

    The caller counts failures (`accounts.throttle`); the library slows down guessing at each device besides.
    """
    plain = code.replace(" ", "").lower()
    return bool(plain) and match_token(user, plain) is not None


def remove_passkey(actor: Actor, passkey: Passkey) -> None:
    """Forget a passkey."""
    _own(actor, passkey.user)
    with transaction.atomic():
        record(actor, AuditEntry.Action.UPDATE, passkey.user, {"passkey": [passkey.name, None]})
        passkey.delete()


def remove(actor: Actor, user: User) -> None:
    """Take all of a person's second steps away: by themselves, or by a manager where they were lost."""
    if actor.user_id != user.pk:
        actor.require(Right.MANAGE)
    with transaction.atomic():
        for device in devices_for_user(user, confirmed=None):
            device.delete()
        user.passkeys.all().delete()
        record(actor, AuditEntry.Action.UPDATE, user, {"second_factor": ["set up", None]})


def _own(actor: Actor, user: User) -> None:
    """Nobody sets up what another person logs in with."""
    if actor.user_id != user.pk:
        raise TypeError("a second step is set up by the person alone")
