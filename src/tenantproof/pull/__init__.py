"""Collecting what decides access in an account into a snapshot that is read offline."""
