"""Benchmarks: every claim of speed or agreement, measured by one command."""
