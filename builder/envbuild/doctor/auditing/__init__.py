"""The wheels of a lock, judged before anything is built."""
