"""What stands in files that already exist, as values. Nothing is imported, run or written."""
