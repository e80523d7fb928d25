"""The front end: what is committed is what its source makes."""
