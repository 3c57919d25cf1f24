"""Ask a person before something changes that cannot be taken back by itself: one way for all commands."""

from rich.console import Console

YES, NO = ("yes", "y"), ("no", "n", "")


def agreed(console: Console, question: str) -> bool:
    """Whether the person says yes. What is neither yes nor no is asked again; nothing at all is a no.

    Raises:
        EOFError: nobody is there to answer (``operations.shared.errors.run_command`` says what to do).
    """
    while True:
        answer = console.input(f"{question} \\[yes/no] ").strip().lower()
        if answer in YES + NO:
            return answer in YES
        console.print(f"{answer!r} is neither yes nor no")
