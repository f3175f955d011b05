-- load_wallets: wallets by id, and earlier decisions
SELECT * FROM load_wallets(%s::smallint, %s, %s, %s, %s, %s);

