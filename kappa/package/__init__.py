"""The deployment package: its files, the installed packages, the upload to Lambda."""
