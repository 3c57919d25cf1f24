"""Slow down the guessing of passwords: a few failures per name and address, more per name or per address alone.

A name is not blocked by five failures from anywhere, otherwise a stranger could lock the clinic out of its own system;
and the many failures from everywhere that do block a name do not count where it has logged in from lately.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from accounts.models import LoginAttempt

WINDOW = timedelta(minutes=15)
KEEP = timedelta(days=30)
PER_NAME_AND_ADDRESS = 5
PER_ADDRESS = 30
PER_NAME = 60


def begin(username: str, ip: str) -> LoginAttempt:
    """Record a try before its password is looked at; its outcome is `blocked` when the limit is passed.

    Counting after inserting makes parallel tries see one another, whichever replica they reach.
    """
    attempt = LoginAttempt.objects.create(username=username.lower()[:150], ip=ip)
    failed = LoginAttempt.objects.filter(outcome=LoginAttempt.Outcome.FAILED, at__gt=timezone.now() - WINDOW)
    name, address = Q(username=attempt.username), Q(ip=ip)
    limits = [(name & address, PER_NAME_AND_ADDRESS), (address, PER_ADDRESS)]
    if not LoginAttempt.objects.filter(name & address, outcome=LoginAttempt.Outcome.OK).exists():
        limits.append((name, PER_NAME))
    if any(failed.filter(condition).count() > limit for condition, limit in limits):
        finish(attempt, LoginAttempt.Outcome.BLOCKED)
    return attempt


def forget(username: str) -> None:
    """Forget the failures of a name wherever they came from: a manager has given it a new password."""
    LoginAttempt.objects.filter(username=username.lower()[:150], outcome=LoginAttempt.Outcome.FAILED).delete()


def finish(attempt: LoginAttempt, outcome: LoginAttempt.Outcome) -> None:
    """Write how a try ended; a success forgets the failures before it, and clears rows and sessions of long ago."""
    attempt.outcome = outcome
    attempt.save(update_fields=["outcome"])
    if outcome == LoginAttempt.Outcome.OK:
        failures = LoginAttempt.objects.filter(username=attempt.username, ip=attempt.ip)
        failures.filter(outcome=LoginAttempt.Outcome.FAILED).delete()
        LoginAttempt.objects.filter(at__lt=timezone.now() - KEEP).delete()
        Session.objects.filter(expire_date__lt=timezone.now()).delete()
