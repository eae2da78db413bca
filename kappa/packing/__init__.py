"""The deployment package: which files it holds, what is installed, how it reaches Lambda."""
