"""The CloudFormation stack: its template, its state, its buckets, what is printed of it."""
