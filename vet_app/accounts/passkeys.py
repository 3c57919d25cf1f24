"""Passkeys (WebAuthn), by the library webauthn. It loads cryptography, so it is imported where a passkey is used.

The browser's half is in static/web/passkeys.js. A challenge is kept in the session and is good for one answer.
"""

from __future__ import annotations

from typing import Optional

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Passkey, User
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record

CHALLENGE = "passkey_challenge"


def creation_options(request: HttpRequest, user: User) -> str:
    """What the browser needs to make a passkey, as JSON."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, PublicKeyCredentialDescriptor

    known = [PublicKeyCredentialDescriptor(id=bytes(each.credential_id)) for each in user.passkeys.all()]
    options = generate_registration_options(
        rp_id=settings.PUBLIC_HOST, rp_name=settings.PUBLIC_HOST, user_name=user.username,
        user_id=str(user.pk).encode(), user_display_name=user.display_name, exclude_credentials=known,
        authenticator_selection=AuthenticatorSelectionCriteria(),
    )  # fmt: skip
    request.session[CHALLENGE] = options.challenge.hex()
    return str(options_to_json(options))


def add(actor: Actor, request: HttpRequest, user: User, name: str, answer: str) -> Passkey:
    """Keep a passkey that the browser has made. Raises ValidationError beside `credential`."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    if actor.user_id != user.pk:
        raise TypeError("a passkey is made by the person alone")
    try:
        verified = verify_registration_response(
            credential=answer, expected_challenge=_challenge(request), expected_rp_id=settings.PUBLIC_HOST,
            expected_origin=settings.PUBLIC_URL,
        )  # fmt: skip
    except WebAuthnException as problem:
        raise ValidationError({"credential": [_("The passkey was not created. Please try again.")]}) from problem
    passkey = Passkey(
        user=user, name=name, credential_id=verified.credential_id, public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
    )  # fmt: skip
    passkey.full_clean()
    with transaction.atomic():
        passkey.save()
        record(actor, AuditEntry.Action.UPDATE, user, {"passkey": [None, name]})
    return passkey


def request_options(request: HttpRequest, user: User) -> str:
    """What the browser needs to show one of the person's passkeys, as JSON; empty where there is none."""
    known = list(user.passkeys.all())
    if not known:
        return ""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    options = generate_authentication_options(
        rp_id=settings.PUBLIC_HOST,
        allow_credentials=[PublicKeyCredentialDescriptor(id=bytes(each.credential_id)) for each in known],
    )
    request.session[CHALLENGE] = options.challenge.hex()
    return str(options_to_json(options))


def is_right(request: HttpRequest, user: User, answer: str) -> bool:
    """Whether the browser has answered the challenge with one of the person's passkeys."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        credential = parse_authentication_credential_json(answer)
        passkey = _named(user, credential.raw_id)
        if passkey is None:
            return False
        proved = verify_authentication_response(
            credential=credential, expected_challenge=_challenge(request), expected_rp_id=settings.PUBLIC_HOST,
            expected_origin=settings.PUBLIC_URL, credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
        )  # fmt: skip
    except WebAuthnException:
        return False
    passkey.sign_count, passkey.last_used_at = proved.new_sign_count, timezone.now()
    passkey.save(update_fields=["sign_count", "last_used_at"])
    return True


def _named(user: User, credential_id: bytes) -> Optional[Passkey]:
    return user.passkeys.filter(credential_id=credential_id).first()


def _challenge(request: HttpRequest) -> bytes:
    """The challenge that was put last, which is used up by that."""
    return bytes.fromhex(request.session.pop(CHALLENGE, ""))
