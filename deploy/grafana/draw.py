"""Draws the panels of a dashboard from what a Prometheus has, for a look at it without Grafana. Needs matplotlib.

    python3 deploy/grafana/draw.py http://127.0.0.1:9090 deploy/grafana/dashboards/kafka-pipeline.json kafka.png 15

The last argument is how many minutes are shown, up to now.
"""

import json
import sys
import time
import urllib.parse
import urllib.request
from datetime import datetime

import matplotlib

matplotlib.use("Agg")
from matplotlib import dates, pyplot, ticker

# Points of a line; Grafana asks for about one a pixel.
POINTS = 240
# Units as Grafana calls them: how a value is written on the axis.
UNITS = {
    "percentunit": lambda value: f"{100 * value:.3g} %",
    "bytes": lambda value: f"{value / 2**20:.4g} MiB",
    "s": lambda value: f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms",
    "reqps": lambda value: f"{value:.3g}/s",
    "cps": lambda value: f"{value:.3g}/s",
    "currencyUSD": lambda value: f"$ {value:.3g}",
}


def series(prometheus, expression, start, end):
    """The lines of an expression: their labels, and pairs of time and value."""
    step = max(1, round((end - start) / POINTS))
    query = urllib.parse.urlencode({"query": expression, "start": start, "end": end, "step": step})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query_range?{query}", timeout=30) as response:
        return [(line["metric"], line["values"]) for line in json.load(response)["data"]["result"]]


def legend(text, labels):
    for name, value in labels.items():
        text = text.replace("{{%s}}" % name, value)
    return text


def lines(prometheus, panel, start, end):
    """Each line of a panel with its name."""
    for target in panel["targets"]:
        expression = target["expr"].replace("$job", "structured-prompt").replace("$__rate_interval", "1m")
        for labels, values in series(prometheus, expression, start, end):
            times = [datetime.fromtimestamp(at) for at, _ in values]
            yield legend(target["legendFormat"], labels), times, [float(value) for _, value in values]


def draw(axes, panel, drawn):
    unit = UNITS.get(panel["fieldConfig"]["defaults"]["unit"], lambda value: f"{value:.3g}")
    axes.set_title(panel["title"], loc="left", fontsize=9, fontweight="bold")
    if panel["type"] == "stat" or not drawn:
        axes.axis("off")
        last = unit(drawn[0][2][-1]) if drawn else "no data"
        axes.text(0.5, 0.45, last, ha="center", va="center", fontsize=18, color="#2a6f4e")
        return
    for name, times, values in drawn:
        axes.plot(times, values, linewidth=1, label=name)
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: unit(value)))
    axes.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=6))
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=6, ncols=2, frameon=False)


def main(prometheus, file, picture, minutes):
    with open(file, encoding="utf-8") as text:
        dashboard = json.load(text)
    end = time.time()
    start = end - 60 * float(minutes)
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    figure = pyplot.figure(figsize=(14, rows * 0.34), layout="constrained")
    figure.suptitle(f"{dashboard['title']} (drawn by deploy/grafana/draw.py, not by Grafana)", fontsize=11)
    grid = figure.add_gridspec(rows, 24)
    for panel in dashboard["panels"]:
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        axes = figure.add_subplot(grid[y : y + height, x : x + width])
        draw(axes, panel, list(lines(prometheus, panel, start, end)))
    figure.savefig(picture, dpi=80)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
