-- load_commands: earlier decisions of a batch
SELECT * FROM load_commands(%s, %s, %s);

-- organisations: codes and ids
SELECT code, id FROM organisation LIMIT 100000;

-- merchants: codes and ids
SELECT code, id FROM merchant LIMIT 100000;

-- stores: codes
SELECT code FROM store LIMIT 1000000;

-- programs: codes and ids
SELECT code, id FROM program LIMIT 10000;

-- next_numbers: the next free numbers of organisation, book, program and terms
SELECT (SELECT coalesce(max(id), 0) + 1 FROM organisation), (SELECT coalesce(max(id), 0) + 1 FROM book),
       (SELECT coalesce(max(id), 0) + 1 FROM program), (SELECT coalesce(max(id), 0) + 1 FROM program_terms);

-- accounts: where merchants are paid, by their codes
SELECT code, id, version, account_bank, account_no, bank_verified FROM merchant
WHERE code = ANY (%(codes)s::text[]);

-- directory: merchants with their group and number of stores, for display
SELECT m.id, m.code, m.name, o.code AS organisation, m.state, m.account_no <> '' AS bank, m.bank_verified,
       count(s.id) AS stores
FROM merchant m JOIN organisation o ON o.id = m.organisation LEFT JOIN store s ON s.merchant = m.id
GROUP BY m.id, o.code ORDER BY m.code LIMIT 10000;
