"""What outlives the process, in SQLite or PostgreSQL: the tables, one file a domain, and what is asked of them."""
