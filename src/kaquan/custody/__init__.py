"""Prepaid money in custody (存管): what must lie at the bank, what does, and sales that stop when it does not."""
