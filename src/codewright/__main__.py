"""`python -m codewright` is `codewright`."""

from codewright.cli.main import main

if __name__ == "__main__":
    main()
