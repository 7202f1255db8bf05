"""What the product costs at scale, beside the least it could cost. Run: `uv run python -m tests.benchmarks`."""
