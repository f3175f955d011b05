-- books: legal entities that keep accounts
SELECT id, code FROM book ORDER BY id LIMIT 10000;

-- organisations: who takes part, with the book of those that keep one
SELECT id, code, book FROM organisation ORDER BY id LIMIT 100000;

-- names: what organisations are called, by code
SELECT code, name FROM organisation ORDER BY id LIMIT 100000;

-- terms: every version of every program's terms, oldest first
SELECT t.id, t.program, t.version, t.terms, p.code, p.issuer, p.state
FROM program_terms t JOIN program p ON p.id = t.program ORDER BY t.program, t.version LIMIT 10000;

-- merchants: every merchant with its group and bank account
SELECT id, code, name, organisation, state, account_bank, account_no FROM merchant ORDER BY code LIMIT 100000;

-- stores: every store with its merchant
SELECT id, merchant, code FROM store ORDER BY code LIMIT 1000000;

-- funds: what funders give from
SELECT id, code, name, organisation, book, mode, source FROM fund ORDER BY code LIMIT 10000;

-- stocks: the stocks of vouchers that were opened
SELECT id, program, code, state FROM stock ORDER BY id LIMIT 100000;
