"""Try the platform without AWS: nothing that operates an environment imports it."""
