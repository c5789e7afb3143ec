"""What papers claim and what was measured: open JSON records, whoever made them."""
