"""One file of the network, or a sentence that says what did not answer."""

import urllib.request

from operations.shared.errors import Failure

SECONDS = 20
"""How long a server may take to answer."""


class Unreachable(Failure):
    """A server does not answer."""


def read(url: str, otherwise: str) -> bytes:
    """The content at an address.

    :param otherwise: what that means, or what a person can do instead.

    Raises:
        Unreachable: it does not answer, or not with a file.
    """
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            content: bytes = answer.read()
            return content
    except OSError as error:  # URLError is one too
        raise Unreachable(f"{url} does not answer: {error}. {otherwise}") from error
