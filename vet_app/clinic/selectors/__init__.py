"""Questions to the clinic's data. Nothing here changes anything; lists come with what a page needs, without N+1."""
