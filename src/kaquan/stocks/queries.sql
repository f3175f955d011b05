-- latest_events: the latest step of each stock, and what it was given in all
SELECT DISTINCT ON (stock) stock, number, count, budget FROM stock_event WHERE stock = ANY (%s) ORDER BY stock, number DESC;

-- next_stock: the next free number of a stock
SELECT coalesce(max(id), 0) + 1 FROM stock;
