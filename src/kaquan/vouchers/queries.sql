-- live_vouchers_of: a wallet's vouchers that may still count, soonest expiry first
SELECT id, stock, terms, state, face, used, valid_from, expires_at, held_until, holder
FROM voucher WHERE bucket = %(bucket)s AND wallet = %(wallet)s AND state IN (1, 2)
ORDER BY expires_at, id LIMIT 1000;

-- vouchers_of: every voucher of a wallet, soonest expiry first
SELECT id, stock, terms, state, face, used, valid_from, expires_at, held_until, holder
FROM voucher WHERE bucket = %(bucket)s AND wallet = %(wallet)s ORDER BY expires_at, id LIMIT 1000;

-- voucher: one voucher for display
SELECT v.id, v.wallet, v.stock, v.terms, v.state, v.face, v.used, v.at, v.valid_from, v.expires_at, v.held_until,
       v.holder, v.origin, s.code AS stock_code, p.code AS program
FROM voucher v JOIN stock s ON s.id = v.stock JOIN program p ON p.id = s.program
WHERE v.bucket = %(bucket)s AND v.id = %(id)s;

-- vouchers_due: vouchers that have expired and are not given back yet
SELECT id FROM voucher WHERE state IN (1, 2) AND expires_at <= %(at)s AND held_until <= %(at)s
ORDER BY expires_at LIMIT %(most)s;
