"""What an attacker would try, at a whole server in served mode."""
