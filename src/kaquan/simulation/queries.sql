-- set_clock: move the installation clock (the simulator only)
UPDATE installation SET clock_offset_us = %(clock_offset_us)s WHERE id = 1;

-- organisations: the codes of who takes part, by which a town knows its own database
SELECT code FROM organisation ORDER BY id LIMIT 100000;

-- refusals: recorded refusals by code
SELECT convert_from(answer, 'UTF8')::jsonb ->> 'code', count(*)
FROM command WHERE outcome = 1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000;
