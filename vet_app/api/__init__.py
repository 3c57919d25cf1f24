"""The API at /api/v1: routes that read by selectors and change by services, as the pages do.

Its document is openapi.json, made by `make openapi`.
"""
