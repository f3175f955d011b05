"""Refusals about payment codes and the devices that show them."""

from kaquan.kernel.refusal import RefusalCode

PAYMENT_CODE_MALFORMED = RefusalCode(
    "payment_code_malformed",
    status=400,
    zh="这不是付款码：应为 {length} 位数字，以 {prefix} 开头，末位为校验位",
    en="This is no payment code: it has {length} digits, begins with {prefix} and ends in a check digit",
    remedy_zh="请重新扫码或核对数字",
    remedy_en="Scan it again, or check the digits",
    burns=False,
)
PAYMENT_CODE_INVALID = RefusalCode(
    "payment_code_invalid",
    status=404,
    zh="这个付款码无效",
    en="This payment code is not valid",
    remedy_zh="请顾客刷新付款码后再扫，并核对手机时间；仍不行，请 {wait_minutes} 分钟后再试，或改用卡号付款",
    remedy_en="Ask for a fresh code and check the phone's clock; if that does not help, wait {wait_minutes} minutes "
    "or pay by card number",
    retryable=True,
    burns=False,
)
PAYMENT_CODE_NO_CARD = RefusalCode(
    "payment_code_no_card",
    status=422,
    zh="这个付款码的钱包里没有卡",
    en="There is no card in the wallet of this payment code",
    remedy_zh="请先购卡或充值，或用其他方式付款",
    remedy_en="Buy a card first, or pay in another way",
    retryable=True,
)
DEVICE_UNKNOWN = RefusalCode(
    "device_unknown",
    status=404,
    zh="没有这个付款码设备",
    en="There is no such device for payment codes",
    remedy_zh="请核对设备编号（code list 列出设备）",
    remedy_en="Check the device's id (code list shows them)",
    burns=False,
)
DEVICE_REMOVED = RefusalCode(
    "device_removed",
    status=409,
    zh="这个设备已停用",
    en="This device was removed already",
    remedy_zh="无需再停用；要再用付款码，请重新添加设备",
    remedy_en="There is nothing to remove; to show codes again, add the device anew",
)
DEVICES_TOO_MANY = RefusalCode(
    "devices_too_many",
    status=422,
    zh="一个钱包最多 {most} 个付款码设备",
    en="A wallet has at most {most} devices for payment codes",
    remedy_zh="请先停用不再使用的设备",
    remedy_en="Remove a device that is not used any more",
    retryable=True,
)
DEVICE_LABEL_INVALID = RefusalCode(
    "device_label_invalid",
    status=400,
    zh="设备名称须为 1 到 {length_max} 个可显示的字符",
    en="A device's label has between 1 and {length_max} printable characters",
    remedy_zh="请更正设备名称",
    remedy_en="Correct the label",
    burns=False,
)
DEVICE_HANDLES_TAKEN = RefusalCode(
    "device_handles_taken",
    status=503,
    zh="没有找到空闲的设备号",
    en="No free handle was found for the device",
    remedy_zh="请换一个请求号重试",
    remedy_en="Try again under a new id",
    retryable=True,
    burns=False,
)
