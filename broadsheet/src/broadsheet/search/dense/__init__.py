"""Vectors of papers: kept on disk, and searched by reading all of them."""
