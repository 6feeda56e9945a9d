"""What is known: facts with a source and a date on every row, and the questions they answer."""
