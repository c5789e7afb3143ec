"""What readers follow: their follows and mutes, their profiles, who gets mail, and what became of each mail."""
