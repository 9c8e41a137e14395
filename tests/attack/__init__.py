"""Wrong calls and damaged files: whatever comes, one sentence and nothing lost."""
