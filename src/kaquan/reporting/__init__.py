"""Statements of merchants, funders and holders: frozen records of the books, chained, shown as PDF and Excel."""
