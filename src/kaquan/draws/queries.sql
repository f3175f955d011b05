-- draws: draws by id
SELECT id, version, stock, number, state, seats, opens_at, closes_at, commitment, coalesce(seed, ''),
       coalesce(list_digest, ''), coalesce(entries, 0)
FROM draw WHERE bucket = ANY (%(buckets)s) AND id = ANY (%(ids)s);

-- of_stock: how many draws stocks have, and how many seats are in them
SELECT stock, count(*), sum(seats)::bigint FROM draw WHERE bucket = ANY (%(buckets)s) AND stock = ANY (%(stocks)s)
GROUP BY stock ORDER BY stock LIMIT 1000;

-- entries: every entry of a draw with its wallet, in the order of ids
SELECT id, wallet FROM draw_entry WHERE bucket = %(bucket)s AND draw = %(draw)s ORDER BY id LIMIT 20000000;

-- entries_of: the entries of a wallet's holder in a draw
SELECT id, at FROM draw_entry WHERE bucket = %(bucket)s AND draw = %(draw)s AND wallet = %(wallet)s
ORDER BY id LIMIT 100;

-- sealed_seed: the seed of a draw under the installation's key
SELECT sealed_seed FROM draw WHERE bucket = %(bucket)s AND id = %(id)s;

-- newest_transaction: a number above that of every transaction that has one by now
SELECT pg_current_xact_id()::text::bigint;

-- oldest_transaction: no transaction below this number is under way any more
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- draws_listed: draws of every stock, the latest first
SELECT d.id, d.number, d.state, d.seats, d.entries, d.opens_at, d.closes_at, s.code AS stock, p.code AS program
FROM draw d JOIN stock s ON s.id = d.stock JOIN program p ON p.id = s.program
ORDER BY d.closes_at DESC, d.id LIMIT 1000;

-- entries_page: a page of the entries of a draw, in the order of ids
SELECT id FROM draw_entry WHERE bucket = %(bucket)s AND draw = %(draw)s AND id > %(after)s ORDER BY id LIMIT %(most)s;
