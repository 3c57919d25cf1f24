"""A link by e-mail for somebody who has forgotten the password."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db import connections
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts import throttle
from accounts.models import LoginAttempt, User


def write_to(who: str, ip: str) -> None:
    """Send the link to everybody with this user name or e-mail, at an address that the clinic keeps.

    It happens in a thread of its own, so that the time the page takes tells nobody whether somebody is known. A name
    that is asked for too often from one place is written to no more for a while.
    """
    attempt = throttle.begin(f"forgotten {who}", ip)
    if attempt.outcome != LoginAttempt.Outcome.BLOCKED:
        threading.Thread(target=_work, args=(who, get_language()), name="forgotten").start()


def _work(who: str, language: str) -> None:
    try:
        send_links(who, language)
    except Exception:
        logging.getLogger(__name__).exception("A link for a new password could not be sent")
    finally:
        connections.close_all()


def send_links(who: str, language: str) -> None:
    """Send a link, good once and for an hour, to each active person of this name or address who has an address."""
    from clinic.selectors.settings import clinic_settings  # the clinic builds on accounts
    from clinic.services.reminders import mail

    for user in User.objects.filter(Q(username__iexact=who) | Q(email__iexact=who), is_active=True).exclude(email=""):
        uid = urlsafe_base64_encode(force_bytes(user.pk))
        address = settings.PUBLIC_URL + reverse("password_reset", args=[uid, default_token_generator.make_token(user)])
        context = {"user": user, "address": address, "clinic": clinic_settings().name}
        with override(user.language or language):
            text = render_to_string("accounts/forgotten.txt", context)
            mail(_("New password for %(name)s") % {"name": user.username}, text, user.email)
