"""What holds of following and of mail, without a database."""
