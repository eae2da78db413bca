"""`python -m kappa` is the `kappa` command."""

from kappa.cli import main

if __name__ == "__main__":
    main()
