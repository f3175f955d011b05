"""The books for an accountant: closed days, vouchers (记账凭证), trial balance, invoices, in files that add up."""
