"""What is refused about jobs as such; a row's own refusal is in the list of rows that failed."""

from kaquan.kernel.refusal import RefusalCode

JOB_UNKNOWN = RefusalCode(
    "job_unknown",
    status=404,
    zh="没有这个批量任务，或已超过保留天数",
    en="There is no such job, or it was not kept any longer",
    remedy_zh="用 kaquan bulk list 查看任务；任务保留 {days} 天",
    remedy_en="kaquan bulk list shows the jobs; they are kept for {days} days",
    burns=False,
)
JOB_CSV_INVALID = RefusalCode(
    "job_csv_invalid",
    status=400,
    zh="CSV 无法读取：第一行须为列名，可用的列为 {columns}",
    en="The CSV can't be read: its first line names columns, of {columns}",
    remedy_zh="请按列名更正第一行，每行的格数与列名相同，然后重新提交",
    remedy_en="Correct the first line, give every line as many cells as it has, and send it again",
    burns=False,
)
JOB_ROWS_OUT_OF_RANGE = RefusalCode(
    "job_rows_out_of_range",
    status=400,
    zh="一个批量任务须有 1 到 {rows_max} 行，这里有 {rows} 行",
    en="A job has between 1 and {rows_max} rows; here are {rows}",
    remedy_zh="请分成几个任务提交",
    remedy_en="Send them as several jobs",
    burns=False,
)
JOB_LIMIT_REACHED = RefusalCode(
    "job_limit_reached",
    status=409,
    zh="已有 {jobs_max} 个批量任务尚未结束",
    en="{jobs_max} jobs have not ended yet",
    remedy_zh="请等其中一个结束或取消它，然后用同一个请求号重试",
    remedy_en="Wait until one of them has ended, or cancel it, then retry with the same id",
    retryable=True,
    burns=False,
)
JOB_ENDED = RefusalCode(
    "job_ended",
    status=409,
    zh="这个批量任务已经结束",
    en="This job has ended already",
    remedy_zh="用 kaquan bulk show 查看结果",
    remedy_en="kaquan bulk show tells what came of it",
    burns=False,
)
