-- installation: the clock's offset and the version of the reference data
SELECT clock_offset_us, reference_version FROM installation;
