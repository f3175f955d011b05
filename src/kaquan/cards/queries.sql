-- load_spending: wallets, cards with their lots that hold something, vouchers, slices, tallies, earlier decisions
SELECT * FROM load_spending(%s::smallint, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                            %s::integer);

-- lock_spending: keep all of that as it is until the commit
SELECT lock_spending(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::integer);

-- find_by_number: the card that bears or bore a number
SELECT bucket, card FROM card_number WHERE bucket = %(bucket)s AND number = %(number)s;

-- find_by_numbers: of many numbers, the cards that bear or bore them
SELECT n.number, n.card FROM unnest(%(buckets)s::smallint[], %(numbers)s::text[]) AS u (bucket, number)
JOIN card_number n ON n.bucket = u.bucket AND n.number = u.number
WHERE n.bucket = ANY (%(buckets)s::smallint[]);

-- card: one card for display
SELECT c.id, c.wallet, c.at, c.state, c.registered, c.number, p.code AS program, t.version AS terms_version
FROM card c JOIN program p ON p.id = c.program JOIN program_terms t ON t.id = c.terms
WHERE c.bucket = %(bucket)s AND c.id = %(id)s;

-- lots: all lots of a card for display, with the code of the fund whose money a lot is, oldest first
SELECT l.id, l.kind, l.source, f.code AS fund, l.state, l.granted, l.balance, l.held, l.active_from, l.expires_at
FROM lot l LEFT JOIN fund f ON f.id = l.fund
WHERE l.bucket = %(bucket)s AND l.card = %(card)s ORDER BY l.id LIMIT 1000;

-- lots_due: lots that hold something which no authorization holds, and expired at or before an instant
SELECT id, card FROM lot
WHERE expires_at IS NOT NULL AND state = 0 AND expires_at <= %(at)s AND balance > held
ORDER BY expires_at LIMIT %(most)s;

-- cards_of: the cards of a wallet for display, oldest first
SELECT c.id, c.number, c.state, p.code AS program FROM card c JOIN program p ON p.id = c.program
WHERE c.bucket = %(bucket)s AND c.wallet = %(wallet)s ORDER BY c.id LIMIT 1000;
