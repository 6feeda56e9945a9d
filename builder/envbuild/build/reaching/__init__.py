"""Which artifacts of locks could be had today, asked one by one."""
