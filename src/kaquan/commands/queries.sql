-- installation: the clock's offset and the version of the reference data
SELECT clock_offset_us, reference_version FROM installation;

-- advance_clock: move the installation clock (the simulator only)
UPDATE installation SET clock_offset_us = %(clock_offset_us)s WHERE id = 1;

-- command: one decision by its id
SELECT kind, outcome, answer, at FROM command WHERE bucket = %(bucket)s AND id = %(id)s;
