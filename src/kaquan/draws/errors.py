"""Why a draw is not opened, entered or closed."""

from kaquan.kernel.refusal import RefusalCode

DRAW_UNKNOWN = RefusalCode(
    "draw_unknown",
    status=404,
    zh="没有这场摇号",
    en="There is no such draw",
    remedy_zh="请核对摇号编号",
    remedy_en="Check the draw's id",
    burns=False,
)
STOCK_NOT_DRAWN = RefusalCode(
    "stock_not_drawn",
    status=422,
    zh="券批次 {stock} 不以摇号发放",
    en="Vouchers of {stock} are not handed out by draw",
    remedy_zh="请选择以摇号发放的批次",
    remedy_en="Choose a stock that is handed out by draw",
)
DRAW_WINDOW = RefusalCode(
    "draw_window_invalid",
    status=400,
    zh="报名截止时间应晚于开始时间，且晚于现在",
    en="Entries must end after they begin, and after now",
    remedy_zh="请更正报名时间",
    remedy_en="Correct the window for entries",
    burns=False,
)
DRAW_SEATS = RefusalCode(
    "draw_seats_out_of_range",
    status=422,
    zh="名额应为 1 到 {seats_max} 个：券批次 {stock} 已有 {seats_taken} 个在其他摇号中",
    en="A draw has 1 to {seats_max} seats: {seats_taken} of {stock} are in other draws",
    remedy_zh="请减少名额，或增加批次数量",
    remedy_en="Offer fewer seats, or add to the stock",
)
DRAW_NOT_YET = RefusalCode(
    "draw_not_yet",
    status=409,
    zh="{opens} 开始报名",
    en="Entries open at {opens}",
    remedy_zh="请到时再来",
    remedy_en="Come back then",
    retryable=True,
)
DRAW_OVER = RefusalCode(
    "draw_over",
    status=409,
    zh="报名已于 {closes} 截止",
    en="Entries ended at {closes}",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
DRAW_ENTERED = RefusalCode(
    "draw_entered",
    status=409,
    zh="每人只能报名一次，此人已经报名",
    en="One person enters once, and this person has",
    remedy_zh="无需再报名，请等待开奖",
    remedy_en="There is nothing to do but wait for the draw",
)
DRAW_RUNNING = RefusalCode(
    "draw_running",
    status=409,
    zh="报名到 {closes} 才截止",
    en="Entries end at {closes}",
    remedy_zh="请到时再截止",
    remedy_en="End it then",
    retryable=True,
    burns=False,
)
DRAW_STATE = RefusalCode(
    "draw_state",
    status=409,
    zh="这场摇号{state_zh}，不能这样办理",
    en="The draw is {state}; this is not possible now",
    remedy_zh="请按截止、锁定名单、公布种子的顺序办理",
    remedy_en="End it, commit its list, reveal its seed, in this order",
    retryable=True,
    burns=False,
)
DRAW_BUSY = RefusalCode(
    "draw_busy",
    status=503,
    zh="仍有报名正在写入，名单还不能锁定",
    en="Entries are still being written; the list can't be committed yet",
    remedy_zh="请稍后用同一个请求号重试",
    remedy_en="Retry in a moment with the same id",
    retryable=True,
    burns=False,
)
DRAW_SEED_WRONG = RefusalCode(
    "draw_seed_wrong",
    status=422,
    zh="种子与公布的承诺不符",
    en="The seed is not the one that was committed to",
    remedy_zh="请使用开办这场摇号的安装的主密钥",
    remedy_en="Use the master key of the installation that opened the draw",
    burns=False,
)
ENTRY_UNKNOWN = RefusalCode(
    "entry_unknown",
    status=404,
    zh="这场摇号中没有这个报名",
    en="There is no such entry in this draw",
    remedy_zh="请核对报名编号",
    remedy_en="Check the entry's id",
    burns=False,
)
ENTRY_NOT_DRAWN = RefusalCode(
    "entry_not_drawn",
    status=422,
    zh="这个报名没有中签",
    en="The entry did not win",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
