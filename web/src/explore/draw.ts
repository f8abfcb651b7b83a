// Drawing on canvases: associations of a window, genes, the whole genome in little. Colours from the style
// sheet, shapes from the server, so that both pictures of a thing look alike. Nothing moves by itself.

import type { Genome, Window } from "./genome.js";
import { span, ticks } from "./genome.js";
import type { Around, Placed, Strip } from "./genes.js";
import { label } from "./genes.js";
import { Heights } from "./heights.js";
import { ldClass, type Spot } from "./points.js";

export const MARGIN = { left: 50, right: 14, top: 16, bottom: 26 }; // as svg.py and the style sheet have them

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A canvas as large as its box, sharp on every screen; `pen` draws in pixels of the page. */
export class Sheet {
  readonly canvas = document.createElement("canvas");
  readonly pen = this.canvas.getContext("2d")!;
  width = 0;
  height = 0;

  constructor(readonly box: HTMLElement) {
    this.canvas.setAttribute("aria-hidden", "true");
    box.replaceChildren(this.canvas);
  }

  clear(): void {
    const ratio = devicePixelRatio || 1;
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    if (this.canvas.width !== Math.round(this.width * ratio) || this.canvas.height !== Math.round(this.height * ratio)) {
      this.canvas.width = Math.round(this.width * ratio);
      this.canvas.height = Math.round(this.height * ratio);
    }
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.pen.clearRect(0, 0, this.width, this.height);
    this.pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  }

  get inner(): { width: number; height: number } {
    return { width: this.width - MARGIN.left - MARGIN.right, height: this.height - MARGIN.top - MARGIN.bottom };
  }

  x(place: number, w: Window): number {
    return MARGIN.left + ((place - w.left) / span(w)) * this.inner.width;
  }

  place(x: number, w: Window): number {
    return w.left + ((x - MARGIN.left) / this.inner.width) * span(w);
  }
}

export type Shapes = Readonly<Record<string, string>>;

const paths = new Map<string, Path2D>();

function shapeOf(shapes: Shapes, name: string): Path2D | undefined {
  const text = shapes[name];
  if (text === undefined) return undefined;
  let path = paths.get(name);
  if (!path) paths.set(name, (path = new Path2D(text)));
  return path;
}

export interface Panel {
  spots: readonly Spot[];
  heights: Heights;
  lead: string;
  coloured: boolean;
  threshold: number;
  thresholdText: string;
  curves: readonly Around["recombination"][];
  curveText: string;
}

export function drawPanel(sheet: Sheet, genome: Genome, w: Window, panel: Panel, shapes: Shapes): void {
  sheet.clear();
  const { pen } = sheet;
  const { width, height } = sheet.inner;
  const y = (value: number) => MARGIN.top + (1 - panel.heights.share(value)) * height;
  frame(sheet, genome, w, panel.heights, y);
  line(pen, [MARGIN.left, y(panel.threshold)], [MARGIN.left + width, y(panel.threshold)], colour("accent"), [2, 4]);
  pen.fillStyle = colour("accent-ink");
  pen.textAlign = "right";
  pen.fillText(panel.thresholdText, MARGIN.left + width, y(panel.threshold) - 5);
  pen.save();
  pen.beginPath();
  pen.rect(MARGIN.left - 4, 0, width + 8, sheet.height);
  pen.clip();
  curves(sheet, w, panel.curves, panel.curveText);
  drawSpots(sheet, w, panel, y, shapes);
  pen.restore();
  axis(sheet, genome, w);
}

function frame(sheet: Sheet, genome: Genome, w: Window, heights: Heights, y: (value: number) => number): void {
  const { pen } = sheet;
  pen.textAlign = "right";
  for (const tick of heights.ticks()) {
    line(pen, [MARGIN.left, y(tick)], [MARGIN.left + sheet.inner.width, y(tick)], colour("faint"));
    pen.fillStyle = colour("quiet");
    pen.fillText(String(tick), MARGIN.left - 8, y(tick) + 4);
  }
  for (const contig of genome.contigs) {
    if (contig.offset <= w.left || contig.offset >= w.right) continue;
    line(pen, [sheet.x(contig.offset, w), MARGIN.top], [sheet.x(contig.offset, w), sheet.height - MARGIN.bottom], colour("line"));
  }
}

function curves(sheet: Sheet, w: Window, found: Panel["curves"], text: string): void {
  const { pen } = sheet;
  if (!found.some((curve) => curve.x.length > 0)) return;
  pen.fillStyle = colour("quiet");
  pen.textAlign = "right";
  pen.fillText(text, sheet.width - MARGIN.right, MARGIN.top - 4);
  pen.strokeStyle = colour("ld2");
  pen.globalAlpha = 0.55;
  pen.beginPath();
  for (const curve of found) {
    curve.x.forEach((place, i) => {
      const at: [number, number] = [sheet.x(place, w), MARGIN.top + (1 - curve.y[i]!) * sheet.inner.height];
      if (i === 0) pen.moveTo(...at);
      else pen.lineTo(...at);
    });
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

function drawSpots(sheet: Sheet, w: Window, panel: Panel, y: (value: number) => number, shapes: Shapes): void {
  const { pen } = sheet;
  const roles = ["odd", "ld1", "ld2", "ld3", "ld4", "ld5"].map(colour);
  const sizes = [1.7, 2.1, 0, 0, 0, 0];
  const layers: Spot[][] = [[], [], [], [], [], [], []];
  for (const spot of panel.spots) {
    const lead = panel.lead !== "" && (spot.points.id[spot.at] === panel.lead || spot.points.name[spot.at] === panel.lead);
    layers[lead ? 6 : panel.coloured ? ldClass(spot.points.r2[spot.at]!) + 1 : 0]!.push(spot);
  }
  layers.forEach((layer, which) => {
    const path = shapeOf(shapes, which === 6 ? "lead" : `ld${which}`);
    for (const { points, at } of layer) {
      const strength = points.y[at]!;
      const past = which === 0 && !panel.coloured && strength >= panel.threshold;
      pen.fillStyle = which === 6 ? colour("lead") : past ? colour("accent") : roles[which]!;
      const [px, py] = [sheet.x(points.place[at]! + 0.5, w), y(strength)];
      if (path) {
        pen.translate(px, py);
        pen.fill(path);
        pen.translate(-px, -py);
      } else {
        pen.beginPath();
        pen.arc(px, py, past ? 2.3 : sizes[which]!, 0, 7);
        pen.fill();
      }
    }
  });
}

function axis(sheet: Sheet, genome: Genome, w: Window): void {
  const { pen } = sheet;
  const low = sheet.height - MARGIN.bottom;
  line(pen, [MARGIN.left, low], [MARGIN.left + sheet.inner.width, low], colour("line"));
  pen.fillStyle = colour("quiet");
  for (const tick of ticks(genome, w, Math.max(2, sheet.inner.width / 130))) {
    const x = sheet.x(tick.at, w);
    const half = pen.measureText(tick.text).width / 2;
    pen.textAlign = x + half > sheet.width ? "right" : x - half < 0 ? "left" : "center";
    pen.fillText(tick.text, pen.textAlign === "right" ? sheet.width - 2 : x, low + 17);
  }
}

export function line(
  pen: CanvasRenderingContext2D, from: readonly [number, number], to: readonly [number, number], stroke: string, dash: number[] = [],
): void {
  pen.strokeStyle = stroke;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  pen.setLineDash([]);
}

export const GENE_ROW = 26;

export function drawGenes(sheet: Sheet, genome: Genome, w: Window, placed: readonly Placed[], letters: readonly Letter[]): void {
  sheet.clear();
  const { pen } = sheet;
  for (const { gene, row, low, high, middle } of placed) {
    const y = MARGIN.top + row * GENE_ROW + 14;
    pen.fillStyle = colour("text");
    pen.fillRect(MARGIN.left + low, y - (gene.exons.length ? 0.75 : 3), high - low, gene.exons.length ? 1.5 : 6);
    for (const [from, to] of gene.exons) {
      const start = Math.max(MARGIN.left, sheet.x(from, w));
      const end = Math.min(MARGIN.left + sheet.inner.width, sheet.x(to, w));
      if (end > MARGIN.left && start < end + 1) pen.fillRect(start, y - 4, Math.max(1, end - start), 8);
    }
    pen.textAlign = "center";
    pen.font = `italic ${pen.font.replace("italic ", "")}`;
    pen.fillText(label(gene), MARGIN.left + middle, y - 7);
    pen.font = pen.font.replace("italic ", "");
  }
  drawLetters(sheet, w, letters);
  axis(sheet, genome, w);
}

/** Strips of one track, of several tiles; a signal's heights are brought to the highest of them. */
export function drawTrack(sheet: Sheet, w: Window, strips: readonly Strip[]): void {
  sheet.clear();
  const { pen } = sheet;
  const top = Math.max(...strips.map((s) => s.top ?? 1));
  const low = sheet.height - 4;
  pen.fillStyle = colour("text");
  for (const strip of strips) {
    const scale = strip.top === null ? 1 : strip.top / top;
    strip.heights.forEach((height, i) => {
      const from = Math.max(MARGIN.left, sheet.x(strip.ends[0][i]!, w));
      const to = Math.min(sheet.width - MARGIN.right, sheet.x(strip.ends[1][i]!, w));
      if (to < MARGIN.left || from > sheet.width - MARGIN.right) return;
      const high = Math.max(1, height * scale * (low - 4));
      pen.fillRect(from, low - high, Math.max(1, to - from), high);
    });
  }
}

export interface Letter { place: number; reference: string; other: string }

/** The alleles at the closest: the reference allele in its places, the other below it. */
function drawLetters(sheet: Sheet, w: Window, letters: readonly Letter[]): void {
  if (letters.length === 0) return;
  const { pen } = sheet;
  const low = sheet.height - MARGIN.bottom;
  pen.textAlign = "center";
  for (const { place, reference, other } of letters) {
    pen.fillStyle = colour("ink");
    [...reference.slice(0, 60)].forEach((base, i) => pen.fillText(base, sheet.x(place + i + 0.5, w), low - 20));
    pen.fillStyle = colour("accent-ink");
    pen.fillText(other.length > 6 ? `${other.slice(0, 5)}…` : other, sheet.x(place + 0.5, w), low - 6);
  }
}

export interface Little { // the Manhattan plot of the study page (web/pages/figures.py)
  width: number;
  x_ticks: { at: number; text: string }[];
  runs?: { x: number[]; low: number[]; high: number[]; role: number[] };
  points: { x: number[]; y: number[]; role: number[] };
}

export function drawOverview(sheet: Sheet, little: Little | undefined, w: Window, end: number): void {
  sheet.clear();
  const { pen } = sheet;
  const whole = { left: 0, right: little?.width ?? end };
  const { height } = sheet.inner;
  const y = (share: number) => MARGIN.top + (1 - share) * height;
  const roles = [colour("even"), colour("odd"), colour("accent")];
  if (little) {
    little.runs?.x.forEach((x, i) => {
      pen.fillStyle = roles[little.runs!.role[i]!]!;
      const top = y(little.runs!.high[i]!);
      pen.fillRect(sheet.x(x, whole) - 0.8, top, 1.6, y(little.runs!.low[i]!) - top);
    });
    little.points.x.forEach((x, i) => {
      pen.fillStyle = roles[little.points.role[i]!]!;
      const size = little.points.role[i] === 2 ? 2.6 : 1.8;
      pen.fillRect(sheet.x(x, whole) - size / 2, y(little.points.y[i]!) - size / 2, size, size);
    });
    pen.textAlign = "center";
    pen.fillStyle = colour("quiet");
    let last = -Infinity;
    for (const tick of little.x_ticks) {
      const x = sheet.x(tick.at, whole);
      if (x - last < 18) continue;
      pen.fillText(tick.text, x, sheet.height - 8);
      last = x;
    }
  }
  const [from, to] = [sheet.x(w.left, whole), sheet.x(w.right, whole)];
  pen.fillStyle = pen.strokeStyle = colour("accent");
  pen.globalAlpha = 0.2;
  pen.fillRect(from, MARGIN.top - 6, Math.max(2, to - from), height + 6);
  pen.globalAlpha = 1;
  pen.strokeRect(from, MARGIN.top - 6, Math.max(2, to - from), height + 6);
}
