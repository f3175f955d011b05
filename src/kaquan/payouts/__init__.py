"""Payouts: told to the bank in files, confirmed, failed, returned, told again; exceptions to what the bank says."""
