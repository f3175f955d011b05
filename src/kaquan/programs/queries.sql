-- books: legal entities that keep accounts
SELECT id, code FROM book ORDER BY id LIMIT 10000;

-- organisations: who takes part, with the book of those that keep one
SELECT id, code, book FROM organisation ORDER BY id LIMIT 100000;

-- names: what organisations are called, by code
SELECT code, name FROM organisation ORDER BY id LIMIT 100000;

-- terms: every version of every program's terms, oldest first
-- with why its sales stand still for want of custody, if they do (state 4)
SELECT t.id, t.program, t.version, t.terms, p.code, p.issuer, p.state::int, p.starts_on, c.stop
FROM program_terms t JOIN program p ON p.id = t.program
LEFT JOIN custody c ON c.program = p.id AND c.state = 4 ORDER BY t.program, t.version LIMIT 10000;

-- enrolments: which merchants were enrolled in which program, or suspended from it
SELECT program::int, merchant, state::int FROM enrolment ORDER BY program, merchant LIMIT 1000000;

-- enrolment: the enrolment of some merchants in some programs
SELECT t.program::int, t.merchant, t.state::int, t.version
FROM unnest(%(program)s::smallint[], %(merchant)s::uuid[]) AS u (program, merchant)
JOIN enrolment t ON t.program = u.program AND t.merchant = u.merchant;

-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- merchants: every merchant with its group and bank account
SELECT id, code, name, organisation, state, account_bank, account_no, bank_verified
FROM merchant ORDER BY code LIMIT 100000;

-- stores: every store with its merchant
SELECT id, merchant, code FROM store ORDER BY code LIMIT 1000000;

-- funds: what funders give from
SELECT id, code, name, organisation, book, mode, source FROM fund ORDER BY code LIMIT 10000;

-- stocks: the stocks of vouchers that were opened
SELECT id, program, code, state FROM stock ORDER BY id LIMIT 100000;

-- lives: every program with its state, and the text that it is drafted as or that waits for an approval
SELECT p.id::int, p.code, p.issuer, p.state::int, p.version, p.submitted_by, p.starts_on,
       r.id, r.version, r.terms, r.person, r.at
FROM program p LEFT JOIN program_proposal r ON r.id = p.proposal ORDER BY p.id LIMIT 10000;

-- next_proposal: the next free number of a proposal
SELECT coalesce(max(id), 0) + 1 FROM program_proposal;

-- history: every step of a program's life, with the version that it was about
SELECT e.number, e.at, e.operation, e.from_state::int, e.to_state::int, e.person, e.reason,
       coalesce(t.version, r.version) AS version
FROM program_event e JOIN program p ON p.id = e.program
LEFT JOIN program_terms t ON t.id = e.terms LEFT JOIN program_proposal r ON r.id = e.proposal
WHERE p.code = %(code)s ORDER BY e.number LIMIT 10000;

-- owed: what still binds a program: facts of the refusal to close it, all zero when it is free
-- Account 31: FUNDER_COMMITTED, 40: MERCHANT_PAYABLE, 41: MERCHANT_RESERVE, 50: HOLDER_REFUND. Payment state 1: authorized; reward state 1: waiting. Referral state
-- 1: pending, which counts when she has bought, 2: earned, 3: paid, while the inviter's invitation is open (1).
SELECT (SELECT coalesce(sum(l.balance), 0)::bigint FROM card c JOIN lot l ON l.bucket = c.bucket AND l.card = c.id
        WHERE c.program = %(program)s) AS outstanding_fen,
       (SELECT count(*) FROM payment t WHERE t.program = %(program)s AND t.state = 1) AS open_holds,
       (SELECT count(*) FROM reward w JOIN card c ON c.bucket = w.bucket AND c.id = w.card
        WHERE c.program = %(program)s AND w.state = 1) AS waiting_rewards,
       (SELECT coalesce(sum(abs(o.balance)), 0)::bigint FROM (
            SELECT sum(v.amount) AS balance
            FROM (SELECT account, owner, credits - debits AS amount FROM rollup WHERE program = %(program)s
                  UNION ALL
                  SELECT s.account, s.owner, s.amount
                  FROM posting p CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount),
                                                            (p.credit, p.credit_owner, p.amount))
                       AS s (account, owner, amount)
                  WHERE p.program = %(program)s AND p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1)) v
            WHERE v.account IN (40, 41, 50) GROUP BY v.account, v.owner) o) AS unsettled_fen,
       (SELECT coalesce(sum(v.amount), 0)::bigint
        FROM (SELECT account, credits - debits AS amount FROM rollup WHERE program = %(program)s
              UNION ALL
              SELECT s.account, s.amount
              FROM posting p CROSS JOIN LATERAL (VALUES (p.debit, -p.amount), (p.credit, p.amount)) AS s (account, amount)
              WHERE p.program = %(program)s AND p.xid >= (SELECT xid FROM rollup_horizon WHERE id = 1)) v
        WHERE v.account = 31) AS promised_fen,
       (SELECT count(*) FROM referral r LEFT JOIN invitation i ON i.bucket = r.inviter_bucket AND i.id = r.invitation
        WHERE r.program = %(program)s
          AND (r.state = 2 OR (r.state = 3 AND i.state = 1)
               OR (r.state = 1 AND EXISTS (SELECT FROM card c WHERE c.bucket = r.bucket AND c.wallet = r.wallet
                                                               AND c.program = r.program)))) AS open_referrals;

-- paid: when the youngest order was paid that could still be refunded, by the terms that say how long; also those that
-- cards of other programs paid with vouchers of this one. Payment state 2: captured, 6: partly refunded.
SELECT o.terms, max(o.moved_at) FROM (
    SELECT t.terms, t.moved_at FROM payment t WHERE t.program = %(program)s AND t.state IN (2, 6)
    UNION ALL
    SELECT t.terms, t.moved_at FROM stock s
    JOIN voucher v ON v.stock = s.id
    JOIN payment t ON t.bucket = v.bucket AND t.id = v.holder AND t.state IN (2, 6)
    WHERE s.program = %(program)s
) o GROUP BY o.terms LIMIT 100000;
