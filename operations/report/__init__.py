"""Explain the platform: what it costs, what stands where, who reaches what, as a page, pictures and tables."""
