"""What facts about cards that are passed on or lie idle are called; see `labels`."""

LEAVING_LABELS: dict[str, tuple[str, str]] = {
    "approved_by": ("批准人", "Approved by"),
    "breakage_fen": ("未使用收入", "Breakage"),
    "evidence": ("依据", "Evidence"),
    "from_days": ("闲置天数起", "Idle from (days)"),
    "idle": ("闲置余额", "Idle balances"),
    "passing_fen": ("过户在途", "On their way"),
    "restored_fen": ("冲回收入", "Income taken back"),
    "to": ("受让人", "To"),
    "until_days": ("闲置天数止", "Idle before (days)"),
}
