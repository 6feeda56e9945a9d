"""Everything that locks name, collected by hash into a folder that builds without network."""
