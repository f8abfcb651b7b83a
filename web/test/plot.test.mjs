// The arithmetic of the figures island, bundled as the pages bundle it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSync } from "esbuild";

const built = buildSync({ entryPoints: ["src/plot.ts"], bundle: true, format: "esm", write: false });
const source = Buffer.from(built.outputFiles[0].contents).toString("base64");
const { flatten, flattenRuns, flattenStrokes, nearest, walk, zoomed } = await import(`data:text/javascript;base64,${source}`);

const points = (x, y, role) => ({ x, y, role, name: x.map(String), note: x.map(String), href: [] });
const same = { x: (v) => v, y: (v) => v };

test("points of one kind stand flat, x before y", () => {
  assert.deepEqual([...flatten([1, 2, 3], [4, 5, 6], (i) => i !== 1)], [1, 4, 3, 6]);
});

test("runs become two-ended lines of their own grey", () => {
  const runs = { x: [1, 2], low: [0, 0.25], high: [0.5, 0.75], role: [0, 1] };
  assert.deepEqual([...flattenRuns(runs, 1)], [2, 2, 0.25, 2, 0.75]);
});

test("strokes run from end to end, those of a role alone", () => {
  const strokes = { x0: [0, 1], y0: [0, 0.25], x1: [0.5, 2], y1: [0.5, 0.75], role: [0, 2], thick: 1 };
  assert.deepEqual([...flattenStrokes(strokes, 2)], [2, 1, 0.25, 2, 0.75]);
});

test("the nearest point within reach is found, and none beyond it", () => {
  const held = points([0, 10, 20], [0, 0, 0], [0, 0, 0]);
  assert.equal(nearest(held, { left: 12, top: 1 }, same, 5), 1);
  assert.equal(nearest(held, { left: 15, top: 40 }, same, 5), -1);
});

test("keys walk from left to right through the points past the threshold", () => {
  const many = Array.from({ length: 200 }, (_, i) => i);
  const held = points(many.map((i) => 199 - i), many.map((i) => i / 200), many.map((i) => (i >= 100 ? 2 : 0)));
  const walked = walk(held);
  assert.equal(walked.length, 100);
  assert.ok(walked.every((i, k) => k === 0 || held.x[walked[k - 1]] < held.x[i]));
  assert.ok(walked.every((i) => held.role[i] === 2));
});

test("zooming keeps its centre and never leaves the plot", () => {
  assert.deepEqual(zoomed([0, 100], 2, 50, 100), [25, 75]);
  assert.deepEqual(zoomed([0, 100], 2, 0, 100), [0, 50]);
  assert.deepEqual(zoomed([25, 75], 0.1, 50, 100), [0, 100]);
  const [from, to] = zoomed([0, 100], 1e9, 50, 100);
  assert.ok(to - from > 0);
});
