"""How to read an origin: bytes become records and rejects. Knows nothing of databases or of when to read."""
