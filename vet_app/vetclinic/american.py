"""American spelling for readers of `en-us`, and for nobody else.

A catalogue of Django's own domain cannot do that: for plain `en`, Python's gettext looks for `en_US` as well
(`locale.normalize`), so American words would reach every reader of English. They are a domain of their own, which no
other language looks for.
"""

from __future__ import annotations

import gettext

from django.conf import settings
from django.utils.translation import to_locale, trans_real

LANGUAGE = "en-us"
DOMAIN = "american"


def load() -> None:
    """Put the American words over the texts of their language, once in each process."""
    for folder in settings.LOCALE_PATHS:
        words = gettext.translation(DOMAIN, folder, languages=[to_locale(LANGUAGE)])
        trans_real.translation(LANGUAGE).merge(words)
