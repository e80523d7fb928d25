"""Who may do what: decisions without I/O, clock and chance passed in."""
