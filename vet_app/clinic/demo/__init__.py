"""The demonstration clinic. Every person, animal, number and address is invented."""
