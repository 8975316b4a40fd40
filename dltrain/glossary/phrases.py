"""How is what the catalog says of a value ("a whole number >= 1") said in Chinese?"""

from __future__ import annotations

import re
from collections.abc import Callable

from dltrain.glossary.texts import Lang

_BOUND = r"(?:>=|<=|>|<) -?[\d.e+]+"
_BOUNDS = rf"{_BOUND}(?: and {_BOUND})*"
_KINDS = {
    "layer": "层",
    "optimizer": "优化器",
    "loss": "损失",
    "losse": "损失",
    "metric": "指标",
    "regularizer": "正则化器",
    "constraint": "约束",
    "initializer": "初始化器",
    "activation": "激活函数",
    "schedule": "调度",
    "callback": "回调",
    "tracker": "跟踪工具",
}
_NOUNS = {"whole number": "整数", "number": "数", "text": "文本"}

Say = Callable[[re.Match[str]], str]


def _thing(match: re.Match[str]) -> str:
    """Say "a number >= 0 and < 1", "a list of 2 whole numbers"."""
    many, count, noun, bounds = match["many"], match["count"], match["noun"], match["bounds"]
    said = _NOUNS[noun]
    if bounds:
        said = f"{bounds.replace(' and ', ' 且 ')} 的{said}"
    if not many:
        return said
    number = f" {count.strip()} 个" if count else ""
    return f"由{number}{' ' if said[0] in '<>' else ''}{said}组成的列表"


_FIXED = {
    "true or false": "true 或 false",
    "null": "null",
    "any value": "任意值",
    "a mapping": "映射",
    "a mapping with type": "带 type 的映射",
    "a mapping of class names to numbers > 0 and <= 1": "类别名到 > 0 且 <= 1 的数的映射",
    "a list with at least one item": "至少一项的列表",
    "a list of layers' names": "层名字的列表",
    "a list of texts or whole numbers": "由文本或整数组成的列表",
    "a list of them": "由它们组成的列表",
    "height and width, each a whole number >= 1": "高和宽，各为 >= 1 的整数",
    "a list of increasing numbers": "由递增的数组成的列表",
    "a list of increasing step counts, each a whole number >= 1": (
        "递增步数的列表，每个是 >= 1 的整数"
    ),
    "a list of at least one layer's name": "至少一个层名字的列表",
    "a list of at least two names of classes": "至少两个类别名的列表",
    "a list of phases, each with epochs, learning_rate or trainable": (
        "阶段的列表，每项带 epochs、learning_rate 或 trainable"
    ),
    "a list of layers": "层的列表",
    "a schedule": "调度",
    "all, none, last_n: a whole number >= 1": "all、none、last_n：>= 1 的整数",
    "all, none": "all、none",
    "last_n: a whole number >= 1": "last_n：>= 1 的整数",
    "the name or directory of a run": "运行的名字或目录",
    "a mapping with run": "带 run 的映射",
    "the name of a model of keras.applications": "keras.applications 中模型的名字",
    "imagenet, none": "imagenet、none",
    "the path of a weights file": "权重文件的路径",
    "the path of a weights file; of keras_hub preset or none": (
        "权重文件的路径；对 keras_hub 为 preset 或 none"
    ),
    "keras_hub: the folder of a preset": "keras_hub：预设的文件夹",
    "a name that KerasHub fetches it by": "KerasHub 用来获取它的名字",
    "a list": "列表",
    "one character": "单个字符",
    "a text without /": "不含 / 的文本",
    "a schedule: a mapping with type": "调度：带 type 的映射",
    "-1 for what is left": "-1 表示剩余部分",
    "{epochs: N} with N > 0": "{epochs: N}，N > 0",
    "the path of a file": "文件的路径",
    "the name of a layer": "层的名字",
    "the name of a block": "块的名字",
    "the name of a dataset": "数据集的名字",
    "a mapping from columns to their kinds": "从列名到其种类的映射",
    "names with default values": "名字及其默认值",
    "paths with their values": "路径及其值",
    "a list of values": "值的列表",
    "[low, high], two numbers, the first smaller": "[低, 高]，两个数，前者较小",
    "[low, high], two numbers > 0, the first smaller": "[低, 高]，两个 > 0 的数，前者较小",
    "[low, high], two whole numbers, the first smaller": "[低, 高]，两个整数，前者较小",
    "[low, high], two whole numbers > 0, the first smaller": (
        "[低, 高]，两个 > 0 的整数，前者较小"
    ),
    "a number > 0 and at most high - low": "> 0 且不超过 高 - 低 的数",
    "letters, digits, _, - and . only, the first a letter or digit": (
        "只含字母、数字、_、- 和 .，以字母或数字开头"
    ),
    "letters, digits, _, - and . only": "只含字母、数字、_、- 和 .",
}

# In this order: what contains another's words stands above it.
_RULES: tuple[tuple[re.Pattern[str], Say], ...] = tuple(
    (re.compile(pattern), say)
    for pattern, say in (
        (
            r"an? (\w+): its name, or a mapping with type",
            lambda match: f"{_KINDS[match[1]]}：名字，或带 type 的映射",
        ),
        (
            r"a list of (\w+)s, each a name or a mapping with type",
            lambda match: f"{_KINDS[match[1]]}的列表，每项是名字或带 type 的映射",
        ),
        (
            r"a list of (\d) of them or of \1 pairs \[before, after\]",
            lambda match: f"由 {match[1]} 个组成的列表，或 {match[1]} 对 [前, 后]",
        ),
        (r"a list of (\d) of them", lambda match: f"由 {match[1]} 个组成的列表"),
        (
            r"a path that ends in (\S+) or (\S+)",
            lambda match: f"以 {match[1]} 或 {match[2]} 结尾的路径",
        ),
        *((re.escape(words), lambda _, said=said: said) for words, said in _FIXED.items()),
        (
            rf"a (?P<many>list of )?(?P<count>\d )?(?P<noun>whole number|number|text)s?"
            rf"(?: (?P<bounds>{_BOUNDS}))?",
            _thing,
        ),
        (r"one of (\w+(?:, (?!or )\w+)+)", lambda match: match[1].replace(", ", "、") + " 之一"),
        (r"(?:one of )?(\w+)", lambda match: match[1]),
    )
)
_OR = ", or "


def say_expected(phrase: str, lang: Lang) -> str:
    """Return `phrase` in `lang`; a phrase that no rule knows stays English."""
    if lang == "en":
        return phrase
    return translate(phrase) or phrase


def translate(phrase: str) -> str | None:
    """Return `phrase` in Chinese, or None if a part of it is unknown."""
    parts, position = [], 0
    while position < len(phrase):
        for pattern, say in _RULES:
            match = pattern.match(phrase, position)
            if match and (match.end() == len(phrase) or phrase.startswith(_OR, match.end())):
                parts.append(say(match))
                position = match.end() + len(_OR)
                break
        else:
            return None
    said = parts[0]
    for part in parts[1:]:
        # A space stands between Chinese and other signs, not between Chinese and Chinese.
        said += f"，或{' ' if part[0].isascii() else ''}{part}"
    return said
