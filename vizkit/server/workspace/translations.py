"""Chinese translations of the texts in the templates."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CHINESE", "translator"]

CHINESE = {
    "dotted: fewer, as some have ended or are NaN": "虚线处较少，因部分实验已结束或为 NaN",
    "Runs": "实验",
    "Groups": "分组",
    "Problems": "问题",
    "Skip to content": "跳到内容",
    "runs": "个实验",
    "run": "个实验",
    "of": "/",
    "in": "位于",
    "Filter": "筛选",
    "Apply": "应用",
    "Clear": "清除",
    "Columns": "列",
    "Chosen by VizKit": "自动选择",
    "Hyper-parameters": "超参数",
    "Metrics": "指标",
    "Compare selected": "比较所选",
    "Select two runs or more to compare them.": "请选择两个或更多实验进行比较。",
    "Select": "选择",
    "Group by": "分组依据",
    "Group": "分组",
    "Run": "实验",
    "Status": "状态",
    "Show": "显示",
    "Started": "开始时间",
    "Started (UTC)": "开始时间 (UTC)",
    "Duration": "时长",
    "best": "最佳",
    "last": "最后",
    "rows a page": "行每页",
    "Previous": "上一页",
    "Next": "下一页",
    "Page": "页",
    "The same in all": "全部相同",
    "All runs are shown.": "现在显示全部实验。",
    "The runs are in natural order.": "实验按自然顺序排列。",
    "No run fits the filter.": "没有符合筛选条件的实验。",
    "There is no run yet. This page shows runs as soon as training writes them.": (
        "还没有实验。训练开始写入日志后，这里就会显示。"
    ),
    "problems": "个问题",
    "problem": "个问题",
    "No problems were found.": "没有发现问题。",
    "All else is shown as recorded. `vizkit check` says what can be mended.": (
        "其余内容照常显示。`vizkit check` 会说明哪些可以修复。"
    ),
    "running": "运行中",
    "finished": "已完成",
    "failed": "失败",
    "interrupted": "已中断",
    "killed": "被终止",
    "unknown": "未知",
    "Directory": "目录",
    "Scalars": "标量",
    "Tag": "标签",
    "Last": "最后值",
    "Smallest": "最小值",
    "Largest": "最大值",
    "Mean": "均值",
    "Records": "记录数",
    "Environment": "环境",
    "Other records": "其他记录",
    "Texts": "文本",
    "Error": "错误",
    "step": "步",
    "Difference": "差异",
    "What differs": "不同之处",
    "Nothing differs.": "没有不同之处。",
    "hyper-parameters": "超参数",
    "metrics": "指标",
    "environment": "环境",
    "Metric": "指标",
    "x axis": "x 轴",
    "y axis": "y 轴",
    "Time since start": "开始后的时间",
    "Step": "步",
    "linear": "线性",
    "logarithmic": "对数",
    "Draw": "绘制",
    "Mean and 95 % confidence interval of each group": "各组的均值与 95% 置信区间",
    "Best value of each run": "各实验的最佳值",
    "95 % interval": "95% 区间",
    "Standard deviation": "标准差",
    "Which hyper-parameter mattered": "哪个超参数更重要",
    "Share of variance": "方差占比",
    "Values": "取值数",
    "Changed together with": "与之同时变化",
    "The share of the metric's variance over runs that each explains alone, adjusted for chance; p says how "
    "often shuffled runs explain as much.": (
        "每个超参数单独解释的指标方差占比（已按偶然性校正）；p 表示随机打乱后达到同样占比的频率。"
    ),
    "Choose a hyper-parameter to group the runs by.": "请选择用于分组的超参数。",
    "No hyper-parameter differs between these runs.": "这些实验的超参数没有不同。",
    "No scalars were recorded.": "没有记录标量。",
    "Only the first are shown:": "仅显示前面的：",
    "Values not above 0, which this axis cannot show:": "不大于 0、未在此轴上显示的值：",
    "NaN values, marked at the bottom:": "NaN 值（标记在底部）：",
    "not recorded": "未记录",
    "This view cannot be shown": "无法显示此页面",
    "Table of runs": "实验列表",
    "more": "更多",
}


def translator(language: str) -> Callable[[str], str]:
    """A function that translates texts to a language: ``en`` or ``zh``."""
    if language == "zh":
        return lambda text: CHINESE.get(text, text)
    return lambda text: text
