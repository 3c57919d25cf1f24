"""Tests of the running clinic: gunicorn, proxies, health, logs, metrics and the container's content."""
