-- Whoever is new to a program is judged by the natural person: all her wallets are found by the blind index.

CREATE INDEX wallet_person ON wallet (bucket, person) WHERE person IS NOT NULL;
