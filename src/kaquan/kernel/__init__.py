"""The words everything else is written in: money, ids, time, refusals, callers. No I/O beyond `clock`."""
