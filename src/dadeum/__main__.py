"""`python -m dadeum` and the `dadeum` command."""

from dadeum.cli.app import main

if __name__ == "__main__":
    main()
