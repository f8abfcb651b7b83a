// A plot drawn by ECharts on a canvas: colours from the style sheet, no animation, points as typed arrays.

import { LinesChart, LineChart, ScatterChart } from "echarts/charts";
import { DataZoomInsideComponent, GridComponent, MarkLineComponent } from "echarts/components";
import { type EChartsType, init, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

import { flatten, flattenRuns, flattenStrokes, HIT, type Plot } from "./plot.js";

use([ScatterChart, LineChart, LinesChart, GridComponent, MarkLineComponent, DataZoomInsideComponent, LabelLayout,
  CanvasRenderer]);

export type Chart = EChartsType;
type Series = Record<string, unknown>;

// The margins of the drawing the server made (web/pages/svg.py), so that nothing jumps when it is replaced.
const GRID = { left: 50, right: 14, top: 16, bottom: 44 };
const POINT_SIZE = [3, 3, 4.5];
const UP = "path://M0 -4 L4.5 3.5 L-4.5 3.5 Z";
const DOWN = "path://M0 4 L4.5 -3.5 L-4.5 -3.5 Z";

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A chart in `host`, without data yet. */
export function createChart(host: HTMLElement): Chart {
  return init(host, null, { renderer: "canvas" });
}

/** Draw a plot, or draw it again in the present colours; `wide` says whether there is room for every label. */
export function drawPlot(chart: Chart, plot: Plot, wide: boolean): void {
  const roles = [colour("even"), colour("odd"), colour("accent")];
  const text = { color: colour("quiet"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
  chart.setOption(
    {
      animation: false,
      backgroundColor: "transparent",
      grid: GRID,
      xAxis: {
        type: "value", min: 0, max: plot.width,
        axisLine: { lineStyle: { color: colour("line") } },
        axisTick: { show: false }, splitLine: { show: false }, axisLabel: { show: false },
        name: plot.x_title, nameLocation: "end", nameGap: 0,
        nameTextStyle: { ...text, align: "right", verticalAlign: "top", padding: [27, 0, 0, 0] },
      },
      yAxis: {
        type: "value", min: 0, max: 1,
        axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false }, axisLabel: { show: false },
        name: plot.y_title, nameLocation: "end", nameGap: 3,
        nameTextStyle: { ...text, align: "left", padding: [0, 0, 0, -44] },
      },
      dataZoom: plot.zoom
        ? [{ type: "inside", xAxisIndex: 0, zoomOnMouseWheel: "ctrl", moveOnMouseMove: true,
             preventDefaultMouseMove: false, minValueSpan: plot.width / 5_000 }]
        : [],
      series: [...frame(plot, text), ...background(plot), ...runs(plot, roles), ...strokes(plot, roles), ...points(plot, roles),
        ...labels(chart, plot, text, wide)],
    },
    { replaceMerge: ["series"] },
  );
}

function frame(plot: Plot, text: object): Series[] {
  const level = (tick: { at: number; text: string }) => ({
    yAxis: tick.at,
    lineStyle: { color: colour("faint"), type: "solid", width: 1 },
    label: { ...text, formatter: tick.text, position: "start", distance: 8 },
  });
  const data: unknown[] = plot.y_ticks.map(level);
  for (const rule of [...(plot.threshold ? [plot.threshold] : []), ...(plot.rules ?? [])]) {
    data.push({
      yAxis: rule.at,
      lineStyle: { color: colour("accent"), type: [2, 4], width: 1 },
      label: { ...text, color: colour("accent-ink"), formatter: rule.text, position: "insideEndTop" },
    });
  }
  const below = plot.x_ticks.map((tick) => ({ value: [tick.at, 0], name: tick.text }));
  return [
    { type: "line", data: [], silent: true, markLine: { symbol: "none", silent: true, animation: false, z: 0, data } },
    { type: "scatter", silent: true, symbolSize: 0, clip: false, data: below, labelLayout: { hideOverlap: true },
      label: { ...text, show: true, position: "bottom", distance: 8, formatter: "{b}" } },
  ];
}

function background(plot: Plot): Series[] {
  const made: Series[] = [];
  const still = { type: "line", silent: true, symbol: "none", animation: false };
  if (plot.band) {
    const { x, low, high } = plot.band;
    const pairs = (y: number[]) => x.map((v, i) => [v, y[i]]);
    const none = { lineStyle: { opacity: 0 }, stack: "band", stackStrategy: "all" };
    made.push({ ...still, ...none, data: pairs(low) });
    made.push({ ...still, ...none, data: pairs(high.map((h, i) => h - low[i]!)),
      areaStyle: { color: colour("faint"), opacity: 1 } });
  }
  if (plot.line) {
    const { x, y } = plot.line;
    made.push({ ...still, data: x.map((v, i) => [v, y[i]]), lineStyle: { color: colour("quiet"), width: 1 } });
  }
  const roles = [colour("even"), colour("odd"), colour("accent")];
  for (const { x, y, role, dashed } of plot.curves ?? []) {
    made.push({ ...still, data: x.map((v, i) => [v, y[i]]),
      lineStyle: { color: roles[role], width: dashed ? 1 : 1.8, type: dashed ? [3, 4] : "solid" } });
  }
  return made;
}

function strokes(plot: Plot, roles: string[]): Series[] {
  const held = plot.strokes;
  if (!held) return [];
  const drawn = roles.map((_, role) => ({ role, data: flattenStrokes(held, role) }));
  return drawn.filter(({ data }) => data.length > 0).map(({ role, data }) => ({ // large lines cannot be none
    type: "lines", coordinateSystem: "cartesian2d", silent: true, large: true, largeThreshold: 0, progressive: 0,
    animation: false, data, lineStyle: { color: roles[role], width: held.thick, opacity: 1, cap: "round" },
  }));
}

function runs(plot: Plot, roles: string[]): Series[] {
  const held = plot.runs;
  if (!held) return [];
  const drawn = [0, 1].map((role) => ({ role, data: flattenRuns(held, role) }));
  return drawn.filter(({ data }) => data.length > 0).map(({ role, data }) => ({ // large lines cannot be none
    type: "lines", coordinateSystem: "cartesian2d", silent: true, large: true, largeThreshold: 0, progressive: 0,
    animation: false, data, lineStyle: { color: roles[role], width: 2.6, opacity: 1, cap: "round" },
  }));
}

function points(plot: Plot, roles: string[]): Series[] {
  const { x, y, role, rises } = plot.points;
  const still = { type: "scatter", silent: true, animation: false, progressive: 0, dimensions: ["x", "y"] };
  const made: Series[] = [];
  for (const which of [0, 1, HIT]) {
    const look = { ...still, itemStyle: { color: roles[which], opacity: 1 } };
    if (rises) {
      for (const up of [true, false]) {
        const data = flatten(x, y, (i) => role[i] === which && rises[i] === up);
        made.push({ ...look, data, symbol: up ? UP : DOWN, symbolSize: [9, 7.5] });
      }
    } else {
      const data = flatten(x, y, (i) => role[i] === which);
      made.push({ ...look, data, large: true, largeThreshold: 2_000,
        symbolSize: (plot.sizes ?? POINT_SIZE)[which] });
    }
  }
  return made;
}

type Laid = { labelRect: { x: number; width: number } };

/** How far a label is moved so that no letter of it is cut at an end of the chart. */
function inside(chart: Chart, { labelRect: { x, width } }: Laid): number {
  return Math.max(2 - x, Math.min(0, chart.getWidth() - 2 - x - width));
}

function labels(chart: Chart, plot: Plot, text: object, wide: boolean): Series[] {
  const shown = (plot.labels ?? []).slice(0, wide ? undefined : 3);
  return [{
    type: "scatter", silent: true, symbolSize: 4, itemStyle: { color: "transparent" }, z: 5,
    labelLayout: (laid: Laid) => ({ hideOverlap: true, dx: inside(chart, laid) }),
    data: shown.map((label) => {
      const share = label.x / plot.width;
      const position = share < 0.04 ? "right" : share > 0.96 ? "left" : "top";
      return { value: [label.x, label.y], name: label.text, label: { position } };
    }),
    label: { ...text, color: colour("ink"), show: true, distance: 4, formatter: "{b}" },
  }];
}
