"""The contract between a method, its claim and its experiment. Imports no method."""
