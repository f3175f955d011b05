-- purchases: the sale and the top-ups of a card with their answers, oldest first
SELECT c.at, c.answer FROM command c
WHERE c.bucket = %(bucket)s AND c.outcome = 0
  AND c.id IN (SELECT l.origin FROM lot l WHERE l.bucket = %(bucket)s AND l.card = %(card)s AND l.kind IN (0, 2))
ORDER BY c.at, c.id <> %(card)s::uuid, c.id LIMIT 1000;
