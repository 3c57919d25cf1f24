"""How times are written where Django's own form does not suit a calendar."""
