"""`python -m kaquan`: the same as the command `kaquan`."""

from kaquan.cli.app import main

if __name__ == "__main__":
    main()
