"""How the models of make_model.py are made: originals fetched and checked, vocabularies cut, files put in place."""
import sys


class MakeError(Exception):
    """What went wrong, where, and what to do: one line for a person."""


def say(text):
    print(text, file=sys.stderr, flush=True)
