"""Forms of the pages. They check what was typed; services check what it means."""
