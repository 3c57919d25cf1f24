"""The clinic in a real browser: pytest tests/browser (needs Chromium)."""
