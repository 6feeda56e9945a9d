"""The doors to the world, against the real thing: processes that run, hang, flood and are killed."""
