"""A change as data: its steps, how they are carried out, which errors are retried."""
