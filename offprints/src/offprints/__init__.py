"""Methods from papers as importable code, each with the experiment that tests the paper's claim."""

__version__ = "0.1.0"
