"""What people call the levels of attributes: codes of the workbook, and names that many shops share.

A name that the shop invented itself is not in here and is shown as it stands.
"""

from __future__ import annotations

from workbook.output.i18n import _


def stage(code: str) -> str:
    """A stage of the life of a customer."""
    return {
        "prospect": _("prospect"),
        "new": _("new"),
        "active": _("active"),
        "returning": _("returning"),
        "dormant": _("dormant"),
        "lost": _("lost"),
    }[code]


def known() -> dict[str, str]:
    """Code or common name → name in the reader's language."""
    return {
        **{code: stage(code) for code in ("prospect", "new", "active", "returning", "dormant", "lost")},
        **_people(),
        **_trade(),
        **_regions(),
    }


def _people() -> dict[str, str]:
    return {
        "female": _("female"), "male": _("male"), "other": _("other"),
        "primary": _("primary school"), "secondary": _("secondary school"), "college": _("college"),
        "bachelor": _("bachelor's degree"), "postgraduate": _("postgraduate degree"),
        "manager": _("manager"), "civil servant": _("civil servant"), "self-employed": _("self-employed"),
        "retired": _("retired"), "sales": _("salesperson"), "engineer": _("engineer"), "teacher": _("teacher"),
        "designer": _("designer"), "office clerk": _("office clerk"), "nurse": _("nurse"), "student": _("student"),
        "trainee": _("trainee"), "accountant": _("accountant"), "homemaker": _("homemaker"),
        "office manager": _("office manager"), "purchaser": _("purchaser"),
        "under 50k": _("under 50,000"), "50k-100k": _("50,000–100,000"), "100k-200k": _("100,000–200,000"),
        "200k-400k": _("200,000–400,000"), "over 400k": _("over 400,000"),
    }  # fmt: skip


def _trade() -> dict[str, str]:
    return {
        "web": _("web site"), "app": _("app"), "store": _("shop counter"), "marketplace": _("marketplace"),
        "wechat": _("WeChat"), "douyin": _("Douyin"), "xiaohongshu": _("Xiaohongshu"),
        "tmall_search": _("Tmall search"),
        "referral": _("recommendation"), "search": _("search engine"), "offline": _("offline"),
        "alipay": _("Alipay"), "wechat_pay": _("WeChat Pay"), "card": _("bank card"), "invoice": _("monthly invoice"),
        "cash": _("cash"), "night": _("night, 0–6"), "morning": _("morning, 6–12"),
        "afternoon": _("afternoon, 12–18"), "evening": _("evening, 18–24"),
        "Tea": _("Tea"), "Teaware": _("Teaware"), "Wellness": _("Wellness"), "Gift sets": _("Gift sets"),
        "Home textiles": _("Home textiles"), "Kitchen": _("Kitchen"),
    }  # fmt: skip


def _regions() -> dict[str, str]:
    return {
        "Beijing": _("Beijing"), "Tianjin": _("Tianjin"), "Hebei": _("Hebei"), "Shanxi": _("Shanxi"),
        "Inner Mongolia": _("Inner Mongolia"), "Liaoning": _("Liaoning"), "Jilin": _("Jilin"),
        "Heilongjiang": _("Heilongjiang"), "Shanghai": _("Shanghai"), "Jiangsu": _("Jiangsu"),
        "Zhejiang": _("Zhejiang"), "Anhui": _("Anhui"), "Fujian": _("Fujian"), "Jiangxi": _("Jiangxi"),
        "Shandong": _("Shandong"), "Henan": _("Henan"), "Hubei": _("Hubei"), "Hunan": _("Hunan"),
        "Guangdong": _("Guangdong"), "Guangxi": _("Guangxi"), "Hainan": _("Hainan"), "Chongqing": _("Chongqing"),
        "Sichuan": _("Sichuan"), "Guizhou": _("Guizhou"), "Yunnan": _("Yunnan"), "Tibet": _("Tibet"),
        "Shaanxi": _("Shaanxi"), "Gansu": _("Gansu"), "Qinghai": _("Qinghai"), "Ningxia": _("Ningxia"),
        "Xinjiang": _("Xinjiang"), "Hong Kong": _("Hong Kong"), "Macao": _("Macao"), "Taiwan": _("Taiwan"),
        "China": _("China"),
    }  # fmt: skip
