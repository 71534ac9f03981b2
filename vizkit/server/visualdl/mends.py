"""Mends of VisualDL's scripts, made as they are served; a script of another version is left as it is."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

__all__ = ["REVISION", "mended"]


class _Mend(NamedTuple):
    """A fault of a script, and each text of it to replace, which must occur once."""

    name: str
    path: str
    changes: dict[str, str]


_HPARAMS = "_dist_/components/HyperParameterPage"
_PARALLEL = f"{_HPARAMS}/ParallelCoordinatesView/ParallelCoordinatesGraph/ParallelCoordinatesGraph.js"
_NUMBERS_FIRST = (
    "(a,b,id)=>{const p=a.values[id],q=b.values[id],d=p-q;"
    'return p===q?0:p===""?1:q===""?-1:isNaN(d)?(p<q?-1:1):d}'
)
_EXACT = "value=>+value.toPrecision(6)"
_RANK = (
    "name=>/^(train|训练)/i.test(name)?0:/^(eval|val|test|评估|验证|测试)/i.test(name)?1:"
    "/^(system|pace)$/.test(name)?3:2"
)

_MENDS = [
    _Mend(
        "a name such as optimizer.lr is no path of properties",
        f"{_HPARAMS}/TableView/Table.js",
        {"accessor:`${t}.${e}`,id:e": "accessor:row=>row[t][e],id:e"},
    ),
    _Mend(
        "the table is sorted by numbers, not by their digits",
        f"{_HPARAMS}/TableView/Table.js",
        {"Cell:M,minWidth:200": f"Cell:M,minWidth:200,sortType:{_NUMBERS_FIRST}"},
    ),
    _Mend(
        "a name wider than its column is shortened until it fits, instead of for ever",
        _PARALLEL,
        {
            'for(;a>this.columnWidth-u.GRID_BRUSH_WIDTH/2;)r.text(r.text().slice(0,-1)+"..."),': (
                'n.append("title").text(e.name);const letters=[...e.name];'
                "for(let left=Math.min(letters.length,300);left-->1&&"
                "a>this.columnWidth-u.GRID_BRUSH_WIDTH/2;)"
                'r.text(letters.slice(0,left).join("")+"…"),'
            )
        },
    ),
    _Mend(
        "the only value of a column is not rounded to a whole number",
        _PARALLEL,
        {
            "h=e.yScale,o=d.axisRight(h);": (
                "h=e.yScale,o=d.axisRight(h),[low,high]=h.domain();"
                f"low===high&&+low===low&&o.tickFormat({_EXACT});"
            )
        },
    ),
    _Mend(
        "a line has a gap where its run has no value",
        _PARALLEL,
        {
            "this.getDataByIndicator(t).map(h=>+h),l=d.extent(a)": (
                "this.getDataByIndicator(t).map(h=>h==null?NaN:+h),"
                "l=d.extent(t.scale===G.LOGARITHMIC?a.filter(h=>h>0):a)"
            ),
            "d.line()(this": "d.line().defined(point=>!isNaN(point[1]))(this",
            "const x=(v=f(s.data[o][c]))!=null?v:0;": (
                "const value=s.data[o][c],x=(v=value==null?NaN:f(value))!=null?v:NaN;"
            ),
            '.attr("cx",I).attr("cy",x)': '.attr("cx",I).attr("cy",isNaN(x)?-99:x)',
            '.attr("cy",(i=s.yScale(t.data[s.group][s.name]))!=null?i:0)': (
                '.attr("cy",isNaN(i=s.yScale(t.data[s.group][s.name]??NaN))?-99:i)'
            ),
            "return c>=r&&c<=a&&l.push(o),l": "return c!=null&&c>=r&&c<=a&&l.push(o),l",
        },
    ),
    _Mend(
        "a run without a value is no dot, and the only value is not rounded",
        f"{_HPARAMS}/ScatterPlotMatrixView/ScatterChart/ScatterChart.js",
        {
            "const h=this.data.map(n=>n[s]);return": (
                "const h=this.data.map(n=>n[s]).filter(n=>n!=null&&"
                "(n>0||this.scaleMethod[s]!==b.LOGARITHMIC));return"
            ),
            "const h=(v=this.scale[0](i[0]))!=null?v:0,n=(x=this.scale[1](i[1]))!=null?x:0,": (
                "const[h,n]=[0,1].map(axis=>i[axis]==null?NaN:this.scale[axis](i[axis]))"
                ".map((at,axis,every)=>every.some(isNaN)?-99:at),"
            ),
            "tickFormat(null)": (f'tickFormat(this.type[h]==="continuous"&&l[h][0]===l[h][1]?{_EXACT}:null)'),
            "(h[t]>=o&&": "(h[t]!=null&&h[t]>=o&&",
        },
    ),
    _Mend(
        "a name without spaces does not run into the next one",
        f"{_HPARAMS}/ScatterPlotMatrixView/ScatterPlotMatrix.js",
        {
            "text-align: center;\n        flex: none;": (
                "text-align: center;\n        overflow-wrap: anywhere;\n        flex: none;"
            )
        },
    ),
    _Mend(
        "a run without a value has no colour, and small numbers are not 0",
        f"{_HPARAMS}/ColorMap.js",
        {
            "r.map(e=>+e[t.group][t.name])).map(e=>Math.round((e!=null?e:0)*1e3)/1e3)": (
                'r.map(e=>e[t.group][t.name]??NaN)).map(e=>e==null?"":+e.toPrecision(4))'
            ),
            "e(t?x[t.group][t.name]:y)": "e(t?x[t.group][t.name]??NaN:y)",
        },
    ),
    _Mend(
        "a value that a run lacks is blank, and an infinite one is not NaN",
        "_dist_/resource/hyper-parameter/format.js",
        {
            'u[t][s]=e[t][s]+"";break;case"numeric"': 'u[t][s]=(e[t][s]??"")+"";break;case"numeric"',
            'u[t][s]=Number.parseFloat(e[t][s]+"")+""': (
                'u[t][s]=e[t][s]==null?e["not finite"]?.[s]??"":Number.parseFloat(e[t][s]+"")+""'
            ),
            "r.map(a=>+a[n.group][n.name])": "r.map(a=>a[n.group][n.name]??NaN)",
        },
    ),
    _Mend(
        "a text keeps its lines",
        "_dist_/components/SamplePage/Text.js",
        {
            "white-space: normal;\n             word-wrap: normal;": (
                "white-space: pre-wrap;\n             overflow-wrap: anywhere;"
            )
        },
    ),
    _Mend(
        "the charts of training come first, and are unfolded",
        "_dist_/components/ChartPage.js",
        {
            "const l=e.toUpperCase(),h=a.toUpperCase();": (
                f"const rank={_RANK},l=rank(e)+e.toUpperCase(),h=rank(a)+a.toUpperCase();"
            )
        },
    ),
]
_BARE = re.compile(rb"(?<=[?&])(\w+=)\$\{([\w.]+)\}")  # a name such as a&b, put into an address as it is
_BARE_IN = re.compile(r"_dist_/(components/(GraphPage|ProfilerPage)/.*|pages/profiler)\.js")

REVISION = hashlib.blake2b(repr((_MENDS, _BARE, _BARE_IN)).encode(), digest_size=4).hexdigest()
"""Part of the scripts' address, which browsers cache for good."""


def mended(path: str, content: bytes) -> bytes:
    """The content of a file of the page with its mends, each where all of its texts occur once."""
    for mend in _MENDS:
        if path == mend.path and all(content.count(broken.encode()) == 1 for broken in mend.changes):
            for broken, right in mend.changes.items():
                content = content.replace(broken.encode(), right.encode())
    if _BARE_IN.fullmatch(path):
        content = _BARE.sub(rb"\1${encodeURIComponent(\2)}", content)
    return content
