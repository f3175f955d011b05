"""What facts of statements are called on the command line, in Chinese and English."""

STATEMENT_LABELS: dict[str, tuple[str, str]] = {
    "file": ("文件", "File"),
    "found": ("核对结果", "Found"),
    "hash": ("摘要", "Hash"),
    "party": ("对象", "Party"),
    "party_id": ("对象编号", "Id of the party"),
    "since": ("起", "From"),
    "statement_no": ("单号", "No."),
    "until": ("止", "Until"),
    "accounts": ("账户", "Accounts"),
    "merchants": ("商户", "Merchants"),
    "payouts": ("打款", "Payouts"),
    "statements": ("对账单", "Statements"),
}
