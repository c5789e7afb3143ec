"""How mail is handed over: the conversation with a server, signatures, and what comes back. Knows no paper."""
