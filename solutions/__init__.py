"""What is right: the reference implementation of each chapter's exercises, one module a chapter."""
