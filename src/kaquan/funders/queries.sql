-- load_funds: what the books say of funds, with slices, in one snapshot
SELECT * FROM load_funds(%s, %s, %s, %s, %s, %s, %s, %s);

-- lock_slices: keep slices as they are until the commit
SELECT lock_spending(%s, NULL, NULL, %s, %s, %s, %s, NULL, NULL, NULL, NULL, NULL);
