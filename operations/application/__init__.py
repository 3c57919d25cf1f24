"""The clinic's application: its images, its first user, its database and where that comes back from."""
