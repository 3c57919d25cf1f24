"""The workflows, run: every ``run:`` of their jobs in order, on an emulated account."""
