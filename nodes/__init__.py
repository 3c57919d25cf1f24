"""What runs on the nodes: shell programs in ``bin/``, and the one place that renders their inputs (``boot``)."""
