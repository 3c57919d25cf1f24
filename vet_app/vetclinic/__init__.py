"""The project: settings, addresses, middleware and the way it is started."""
