"""The collection that comes with the program: 273 real papers with summaries and claims written for it."""

from pathlib import Path

CATALOGUE = Path(__file__).with_name("catalogue.jsonl")
