#!/usr/bin/env python3
"""Django's command line for the clinic."""

import sys

from vetclinic.start import configure


def main() -> None:
    """Run one management command."""
    configure()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
