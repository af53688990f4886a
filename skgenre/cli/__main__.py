"""``python -m skgenre.cli``: the same as the command ``skgenre``."""

from skgenre.cli import app

if __name__ == "__main__":
    app(prog_name="skgenre")
