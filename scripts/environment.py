"""Make the virtual environment, or say in one sentence why that cannot be done.

Runs under whatever ``python3`` the machine has, so it uses the oldest syntax it can.
"""

import sys


def main(folder: str) -> "str | None":
    """Make it in `folder`, replacing a half-made one. Returns what is wrong as a sentence, None when nothing is."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this is where an older one is told so
        return (
            "Broadsheet needs Python 3.11 or newer; this is {}.{}. "
            "Name another one, for example: make up PYTHON=python3.12".format(*sys.version_info[:2])
        )
    try:
        import ensurepip  # noqa: F401, PLC0415  # Debian splits it off: its absence is what we test for
        import venv  # noqa: PLC0415  # as above
    except ImportError:
        return "This Python cannot make environments. On Debian or Ubuntu: apt install python3-venv"
    venv.create(folder, with_pip=True, symlinks=True, clear=True)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
