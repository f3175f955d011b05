-- latest_events: the latest step of each stock, and what it was given in all
SELECT DISTINCT ON (stock) stock, number, count, budget FROM stock_event WHERE stock = ANY (%s) ORDER BY stock, number DESC;

-- next_stock: the next free number of a stock
SELECT coalesce(max(id), 0) + 1 FROM stock;

-- supplies: every stock with what it was given in all, what is left of it, and when its latest step was
SELECT s.id, e.number, e.at, e.count, e.budget, l.count_left::bigint, l.fen_left::bigint
FROM stock s
JOIN LATERAL (SELECT number, at, count, budget FROM stock_event WHERE stock = s.id ORDER BY number DESC LIMIT 1) e ON true
JOIN (SELECT pool, sum(count_left) AS count_left, sum(fen_left) AS fen_left FROM slice WHERE day = 0 GROUP BY pool) l
    ON l.pool = pool_of('stock', s.id)
ORDER BY s.id LIMIT 100000;

-- history: every step of a stock, oldest first
SELECT number, at, operation, person, reason, count, budget FROM stock_event WHERE stock = %(stock)s ORDER BY number LIMIT 1000;

-- used_since: how many vouchers of stocks are used or held by payments of the last hour, and since their latest step
SELECT v.stock, count(*), e.number
FROM payment p
CROSS JOIN LATERAL (SELECT DISTINCT voucher FROM discounts_of(p.discounts)) d
JOIN voucher v ON v.bucket = p.bucket AND v.id = d.voucher
JOIN LATERAL (SELECT number, at FROM stock_event WHERE stock = v.stock ORDER BY number DESC LIMIT 1) e ON p.at >= e.at
WHERE p.at >= %(since)s AND p.state NOT IN (3, 4) AND v.stock = ANY (%(stocks)s)
GROUP BY v.stock, e.number;
