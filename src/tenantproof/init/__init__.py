"""A first manifest, guessed from sources: each guess is marked with what it was guessed from."""

from tenantproof.init.guessing import Guess, GuessedPrincipal, GuessedTenant, guess
from tenantproof.init.writing import manifest_text, summary, write_manifest

__all__ = [
    "Guess",
    "GuessedPrincipal",
    "GuessedTenant",
    "guess",
    "manifest_text",
    "summary",
    "write_manifest",
]
