"""Asking origins politely: the only package that talks to other machines. `client.Client` does it."""
