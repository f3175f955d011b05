"""Double entry: a chart of accounts per book, postings that sum to zero row by row, proofs that they still do."""
