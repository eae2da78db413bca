"""kappa: the life cycle of one AWS Lambda function, from one readable config file."""

__version__ = "1.0.0"
