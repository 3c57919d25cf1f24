"""``python -m operations`` is the program ``vet``."""

from operations.cli import main

main()
