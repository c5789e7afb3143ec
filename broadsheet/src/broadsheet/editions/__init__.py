"""The daily, weekly and monthly lists: ranked by pure rules, stored as they were published."""
