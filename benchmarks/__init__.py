"""Measurements of what the course promises; never assertions. Run: python -m benchmarks --help."""
