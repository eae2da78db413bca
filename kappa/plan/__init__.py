"""A change as data: its steps, how they are carried out, what AWS may answer meanwhile."""
