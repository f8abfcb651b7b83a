// The data of a plot as the server sends it (web/pages/figures.py), and arithmetic on it. No drawing, no DOM.
// Heights are shares of the plot, 0 to 1; x runs from 0 to `width`.

export interface Tick { at: number; text: string }

export interface Points {
  x: number[];
  y: number[];
  role: number[]; // 0 and 1: the two greys; 2: past the threshold
  rises?: boolean[]; // triangles up or down instead of dots
  name: string[];
  note: string[];
  href: string[];
}

export interface Plot {
  width: number;
  x_title: string;
  y_title: string;
  x_ticks: Tick[];
  y_ticks: Tick[];
  zoom: boolean;
  threshold?: Tick;
  sizes?: number[]; // of dots, by role, in pixels
  rules?: Tick[]; // more thresholds, of figures with several scales
  strokes?: { x0: number[]; y0: number[]; x1: number[]; y1: number[]; role: number[]; thick: number };
  curves?: { x: number[]; y: number[]; role: number; dashed: boolean }[];
  runs?: { x: number[]; low: number[]; high: number[]; role: number[] };
  band?: { x: number[]; low: number[]; high: number[] };
  line?: { x: number[]; y: number[] };
  points: Points;
  labels?: { x: number; y: number; text: string }[];
}

export const HIT = 2;
const WALKED_AT_LEAST = 50;

/** x, y, x, y … of the points whose index passes the test, as the chart wants them. */
export function flatten(x: number[], y: number[], keep: (i: number) => boolean): Float32Array {
  const flat = new Float32Array(2 * x.length);
  let at = 0;
  for (let i = 0; i < x.length; i++) {
    if (keep(i)) {
      flat[at++] = x[i]!;
      flat[at++] = y[i]!;
    }
  }
  return flat.slice(0, at);
}

/** 2, x, low, x, high for each run of one role: the flat form of two-ended lines. */
export function flattenRuns(runs: NonNullable<Plot["runs"]>, role: number): Float32Array {
  const flat: number[] = [];
  for (let i = 0; i < runs.x.length; i++) {
    if (runs.role[i] === role) flat.push(2, runs.x[i]!, runs.low[i]!, runs.x[i]!, runs.high[i]!);
  }
  return Float32Array.from(flat);
}

/** 2, x0, y0, x1, y1 for each stroke of one role: the flat form of two-ended lines. */
export function flattenStrokes(strokes: NonNullable<Plot["strokes"]>, role: number): Float32Array {
  const flat: number[] = [];
  for (let i = 0; i < strokes.x0.length; i++) {
    if (strokes.role[i] === role) flat.push(2, strokes.x0[i]!, strokes.y0[i]!, strokes.x1[i]!, strokes.y1[i]!);
  }
  return Float32Array.from(flat);
}

/** Indices a person walks through with the arrow keys, from left to right: points past the threshold,
 *  at least the fifty highest. */
export function walk(points: Points): number[] {
  const byHeight = points.y.map((_, i) => i).sort((a, b) => points.y[b]! - points.y[a]!);
  const past = byHeight.filter((i) => points.role[i] === HIT);
  const walked = past.length >= WALKED_AT_LEAST ? past : byHeight.slice(0, WALKED_AT_LEAST);
  return walked.sort((a, b) => points.x[a]! - points.x[b]!);
}

/** The point nearest to a place, in pixels, at most `reach` away; -1 for none. */
export function nearest(
  points: Points,
  place: { left: number; top: number },
  toPixel: { x: (v: number) => number; y: (v: number) => number },
  reach: number,
): number {
  let best = -1;
  let least = reach * reach;
  for (let i = 0; i < points.x.length; i++) {
    const dx = toPixel.x(points.x[i]!) - place.left;
    if (dx > reach || dx < -reach) continue;
    const dy = toPixel.y(points.y[i]!) - place.top;
    const distance = dx * dx + dy * dy;
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

/** A window of `from`…`to` zoomed by a factor around a centre, kept inside 0…width. */
export function zoomed(
  [from, to]: readonly [number, number],
  factor: number,
  centre: number,
  width: number,
): [number, number] {
  const span = Math.min(width, Math.max((to - from) / factor, width / 5_000));
  const share = to > from ? (centre - from) / (to - from) : 0.5;
  const start = Math.min(Math.max(0, centre - share * span), width - span);
  return [start, start + span];
}
