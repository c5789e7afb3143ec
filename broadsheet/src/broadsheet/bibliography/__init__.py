"""What is true of any paper: identifiers, names, dates, text, matching, merging. Knows no database."""
