"""Reports that are handed out: one module a kind, with its page beside it (.typ); `issue` numbers, seals and keeps."""
