"""A part of a page that a program writes, between two marks."""


def between(text: str, begin: str, end: str, part: str) -> str:
    """The page with the part between its marks written again."""
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{part}\n\n{end}{rest.split(end)[1]}"
