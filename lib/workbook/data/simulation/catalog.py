"""What the simulated shop sells, where its customers live, and the feasts that move its sales."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

CATEGORIES = ("Tea", "Teaware", "Wellness", "Gift sets", "Home textiles", "Kitchen")
_PREFIXES = ("TE", "TW", "WE", "GS", "HT", "KI")  # of the product ids of each category
CATEGORIES_ZH = dict(zip(CATEGORIES, ("茶叶", "茶具", "养生滋补", "礼盒", "家纺", "厨房用品"), strict=True))
COMPANION = (1, 0, 0, 0, 5, 4)  # category that goes with each category: tea and teaware, textiles and kitchen
RETURN_FACTOR = np.array([0.5, 1.0, 0.6, 0.7, 1.8, 1.2])  # share of lines that come back, beside the mean
MARGIN = np.array([0.55, 0.48, 0.50, 0.45, 0.42, 0.38])  # of the list price
PRICE_RISE = date(2025, 4, 1)  # tea became dearer
PRICE_RISE_FACTOR = 1.08  # of its list price
COST_RISE_FACTOR = 1.14  # of its cost

EDUCATION = ("primary", "secondary", "college", "bachelor", "postgraduate")
EDUCATION_ZH = ("小学", "高中", "大专", "本科", "研究生")
INCOME_BANDS = ("under 50k", "50k-100k", "100k-200k", "200k-400k", "over 400k")  # CNY a year
OCCUPATION_ZH = {
    "manager": "企业管理者", "civil servant": "公务员", "self-employed": "个体经营", "retired": "退休",
    "sales": "销售", "engineer": "工程师", "teacher": "教师", "designer": "设计师", "office clerk": "行政文员",
    "nurse": "护士", "student": "学生", "trainee": "实习生", "accountant": "会计", "homemaker": "全职家庭",
    "office manager": "办公室主任", "purchaser": "采购", "other": "其他",
}

# Region, its Chinese short and official names, its largest city, share of the customers.
REGIONS = (
    ("Guangdong", "广东", "广东省", "广州", 0.145), ("Zhejiang", "浙江", "浙江省", "杭州", 0.125),
    ("Jiangsu", "江苏", "江苏省", "南京", 0.115), ("Shanghai", "上海", "上海市", "上海", 0.110),
    ("Beijing", "北京", "北京市", "北京", 0.090), ("Shandong", "山东", "山东省", "济南", 0.065),
    ("Fujian", "福建", "福建省", "福州", 0.060), ("Sichuan", "四川", "四川省", "成都", 0.060),
    ("Hubei", "湖北", "湖北省", "武汉", 0.045), ("Henan", "河南", "河南省", "郑州", 0.040),
    ("Anhui", "安徽", "安徽省", "合肥", 0.035), ("Hunan", "湖南", "湖南省", "长沙", 0.035),
    ("Chongqing", "重庆", "重庆市", "重庆", 0.025), ("Shaanxi", "陕西", "陕西省", "西安", 0.025),
    ("Liaoning", "辽宁", "辽宁省", "沈阳", 0.025),
)

# Chinese name, English name, list price in CNY; ascending within a category.
_GOODS = {
    "Tea": (
        ("茉莉花茶试饮装", "Jasmine Tea Sampler", 9.9), ("正山小种小罐", "Lapsang Souchong Mini Tin", 19.9),
        ("白牡丹散茶 50g", "White Peony 50 g", 36.0), ("铁观音 清香型 125g", "Tieguanyin Light 125 g", 58.0),
        ("云南滇红 200g", "Yunnan Black 200 g", 79.0), ("安溪铁观音 浓香型 250g", "Tieguanyin Roasted 250 g", 118.0),
        ("凤凰单丛 鸭屎香", "Phoenix Dancong", 168.0), ("福鼎老白茶饼 350g", "Aged White Tea Cake 350 g", 238.0),
        ("明前西湖龙井 100g", "Longjing First Harvest 100 g", 328.0), ("武夷大红袍 特级", "Da Hong Pao Select", 468.0),
        ("古树普洱生茶饼", "Ancient Tree Pu'er", 698.0), ("牛栏坑肉桂", "Niulankeng Rougui", 1280.0)),
    "Teaware": (
        ("竹制茶夹", "Bamboo Tongs", 12.0), ("玻璃公道杯", "Glass Pitcher", 29.0), 
        ("便携快客杯", "Travel Gaiwan", 49.0),
        ("白瓷盖碗", "White Porcelain Gaiwan", 69.0), ("陶瓷茶叶罐", "Ceramic Tea Caddy", 99.0),
        ("竹制干泡茶盘", "Bamboo Tea Tray", 149.0), ("汝窑茶具六件套", "Ru Ware Set of Six", 239.0),
        ("电陶炉煮茶器", "Electric Tea Stove", 359.0), ("宜兴紫砂壶", "Yixing Clay Teapot", 580.0),
        ("手工建盏", "Handmade Jian Bowl", 980.0)),
    "Wellness": (
        ("红枣枸杞茶包", "Jujube Goji Tea Bags", 15.9), ("菊花决明子茶", "Chrysanthemum Cassia Tea", 25.9),
        ("黑芝麻丸", "Black Sesame Balls", 39.9), ("桂圆红枣姜茶", "Longan Ginger Tea", 55.0),
        ("五红汤料包", "Five Red Soup Mix", 75.0), ("陈皮 十年", "Aged Tangerine Peel", 109.0),
        ("即食银耳羹 12罐", "White Fungus Dessert, 12", 159.0), ("阿胶糕", "Ejiao Cake", 229.0),
        ("铁皮石斛粉", "Dendrobium Powder", 338.0), ("长白山林下参", "Forest Ginseng", 680.0)),
    "Gift sets": (
        ("贺卡与包装", "Card and Wrapping", 18.0), ("伴手礼茶点盒", "Tea and Biscuits Box", 49.0),
        ("迷你茶礼盒", "Mini Tea Gift Box", 79.0), ("中秋月饼茶礼", "Mid-Autumn Mooncake Set", 128.0),
        ("春节坚果茶礼", "New Year Nuts and Tea", 178.0), ("企业定制茶礼", "Corporate Tea Gift", 258.0),
        ("西湖龙井礼盒", "Longjing Gift Box", 388.0), ("紫砂壶茶礼", "Clay Teapot Gift Set", 588.0),
        ("臻选名茶大礼盒", "Grand Tea Collection", 888.0), ("典藏普洱礼盒", "Vintage Pu'er Chest", 1688.0)),
    "Home textiles": (
        ("棉麻杯垫", "Linen Coasters", 16.0), ("纯棉毛巾 两条", "Cotton Towels, Two", 35.0),
        ("亚麻桌布", "Linen Tablecloth", 69.0),
        ("乳胶枕", "Latex Pillow", 119.0), ("全棉床单", "Cotton Sheet", 159.0), ("羊毛盖毯", "Wool Throw", 249.0),
        ("长绒棉四件套", "Long-staple Bed Set", 399.0), ("遮光窗帘", "Blackout Curtains", 529.0),
        ("桑蚕丝被", "Silk Duvet", 899.0)),
    "Kitchen": (
        ("硅胶锅铲", "Silicone Spatula", 14.9), ("密封储物罐", "Storage Jar", 28.0), ("竹砧板", "Bamboo Board", 49.0),
        ("陶瓷餐盘四件", "Ceramic Plates, Four", 85.0), ("不锈钢刀具", "Steel Knife", 129.0), 
        ("砂锅", "Clay Pot", 169.0),
        ("养生壶", "Health Kettle", 229.0), ("铸铁锅", "Cast Iron Pot", 369.0), ("破壁机", "Blender", 599.0)),
}

SEARCH_TERMS = ("龙井", "普洱茶", "茶具套装", "送礼 礼盒", "养生壶", "四件套", "紫砂壶", "枸杞", "盖碗", "办公室茶",
                "gift box", "tea set", "中秋礼盒", "年货", "毛巾", "铁观音")
TRAFFIC_SOURCES = ("direct", "tmall_search", "douyin", "xiaohongshu", "wechat", "mail", "sms")
SURNAMES = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
GIVEN = ("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超", "秀英",
         "霞", "平", "刚", "桂英", "子涵", "欣怡", "浩然", "雨桐", "梓萱", "思远", "嘉怡", "一诺")
STREETS = ("人民路", "解放路", "中山路", "建设路", "和平街", "文化路", "新华街", "长江路", "朝阳路", "学府街")


@dataclass(frozen=True)
class Goods:
    """The products as arrays, ascending by price within each category."""

    ids: tuple[str, ...]
    names: tuple[str, ...]  # Chinese and English, as printed on an order
    category: np.ndarray  # index into CATEGORIES
    price: np.ndarray  # CNY, before the price rise
    first: np.ndarray  # index of the first product of each category
    last: np.ndarray


def goods() -> Goods:
    """The shop's catalogue."""
    rows = [(code, number, zh, en, price) for code, name in enumerate(CATEGORIES)
            for number, (zh, en, price) in enumerate(_GOODS[name], start=1)]
    category = np.array([row[0] for row in rows])
    return Goods(
        ids=tuple(f"{_PREFIXES[row[0]]}{row[1]:03d}" for row in rows),
        names=tuple(f"{row[2]} {row[3]}" for row in rows),
        category=category, price=np.array([row[4] for row in rows]),
        first=np.searchsorted(category, np.arange(len(CATEGORIES))),
        last=np.searchsorted(category, np.arange(len(CATEGORIES)), side="right") - 1)


@dataclass(frozen=True)
class Occasion:
    """A feast or a promotion: when, and by how much sales of gifts and bargains rise."""

    name: str
    start: date
    end: date
    kind: str  # feast or promotion
    factor: float


# First day of the Lunar New Year, and Mid-Autumn, in the Gregorian calendar.
LUNAR_NEW_YEAR = {2022: date(2022, 2, 1), 2023: date(2023, 1, 22), 2024: date(2024, 2, 10), 2025: date(2025, 1, 29),
                  2026: date(2026, 2, 17), 2027: date(2027, 2, 6), 2028: date(2028, 1, 26)}
MID_AUTUMN = {2022: date(2022, 9, 10), 2023: date(2023, 9, 29), 2024: date(2024, 9, 17), 2025: date(2025, 10, 6),
              2026: date(2026, 9, 25), 2027: date(2027, 9, 15), 2028: date(2028, 10, 3)}


def occasions(first_year: int, last_year: int) -> list[Occasion]:
    """Feasts and promotions of these years, in order of their first day."""
    found: list[Occasion] = []
    for year in range(first_year, last_year + 1):
        found += [
            Occasion("Women's Day", date(year, 3, 1), date(year, 3, 8), "promotion", 1.25),
            Occasion("618", date(year, 6, 1), date(year, 6, 20), "promotion", 1.7),
            Occasion("Double 11", date(year, 11, 1), date(year, 11, 11), "promotion", 3.4),
            Occasion("Double 12", date(year, 12, 9), date(year, 12, 12), "promotion", 1.4),
            Occasion("Christmas", date(year, 12, 18), date(year, 12, 25), "feast", 1.25)]
        if year in LUNAR_NEW_YEAR:
            day = LUNAR_NEW_YEAR[year]
            found += [Occasion("New Year shopping", day - timedelta(28), day - timedelta(4), "feast", 2.0),
                      Occasion("Lunar New Year", day - timedelta(3), day + timedelta(7), "feast", 0.35)]
        if year in MID_AUTUMN:
            found.append(Occasion("Mid-Autumn", MID_AUTUMN[year] - timedelta(18), MID_AUTUMN[year], "feast", 1.7))
    return sorted(found, key=lambda occasion: occasion.start)
