// Points of one study as the server answers them (/studies/{study}/window), with their place on the drawn
// genome; which lies under the pointer; which are worth a step of the Tab key. No DOM.

import type { Genome, Window } from "./genome.js";

export interface Points {
  place: Float64Array;
  y: Float32Array; // −log₁₀ p
  r2: Float32Array; // NaN: not known
  best: Uint8Array; // 1: the strongest of its bin
  id: string[];
  name: string[];
}

export interface Answer {
  data: {
    chromosome: (string | null)[];
    base_pair_location: (number | null)[];
    effect_allele: (string | null)[];
    other_allele: (string | null)[];
    rsid: (string | null)[];
    feature_name: (string | null)[];
    neg_log_10_p_value: (number | null)[];
    stands_for_bin: boolean[];
    r2?: (number | null)[];
  };
}

export const COLUMNS = ["chromosome", "base_pair_location", "effect_allele", "other_allele", "rsid", "feature_name",
  "neg_log_10_p_value", "stands_for_bin"];

/** The points of an answer; those without a place on the drawn genome are left out. */
export function readPoints(genome: Genome, answer: Answer): Points {
  const d = answer.data;
  const rows: number[] = [];
  const places: number[] = [];
  for (let i = 0; i < d.chromosome.length; i++) {
    const place = genome.place(d.chromosome[i] ?? "", d.base_pair_location[i] ?? 0);
    if (place === undefined || d.neg_log_10_p_value[i] == null) continue;
    rows.push(i);
    places.push(place);
  }
  const id = rows.map((i) => d.feature_name[i] ??
    `${d.chromosome[i]}-${d.base_pair_location[i]}-${d.other_allele[i] ?? ""}-${d.effect_allele[i] ?? ""}`);
  return {
    place: Float64Array.from(places),
    y: Float32Array.from(rows, (i) => d.neg_log_10_p_value[i]!),
    r2: Float32Array.from(rows, (i) => d.r2?.[i] ?? NaN),
    best: Uint8Array.from(rows, (i) => (d.stands_for_bin[i] ? 1 : 0)),
    id,
    name: rows.map((i, at) => d.rsid[i] ?? id[at]!),
  };
}

export interface Spot { points: Points; at: number }

/** The points inside a window, of tiles that may reach beyond it. */
export function inside(parts: readonly { value: Points; window: Window }[], w: Window): Spot[] {
  const found: Spot[] = [];
  for (const { value, window } of parts) {
    const low = Math.max(w.left, window.left);
    const high = Math.min(w.right, window.right);
    for (let at = lowest(value.place, low); at < value.place.length && value.place[at]! < high; at++) {
      found.push({ points: value, at });
    }
  }
  return found;
}

/** First index whose value is not below `limit`, of increasing values. */
export function lowest(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function strongest(spots: readonly Spot[]): Spot | undefined {
  let best: Spot | undefined;
  for (const spot of spots) if (!best || spot.points.y[spot.at]! > best.points.y[best.at]!) best = spot;
  return best;
}

/** The strongest points a person steps through, far enough apart to be told apart, from left to right. */
export function stops(spots: readonly Spot[], w: Window, most: number): Spot[] {
  const reach = (w.right - w.left) / 60;
  const taken: Spot[] = [];
  for (const spot of [...spots].sort((a, b) => b.points.y[b.at]! - a.points.y[a.at]!)) {
    if (taken.length === most) break;
    const place = spot.points.place[spot.at]!;
    if (taken.every((other) => Math.abs(other.points.place[other.at]! - place) > reach)) taken.push(spot);
  }
  return taken.sort((a, b) => a.points.place[a.at]! - b.points.place[b.at]!);
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A p value from its −log₁₀, as the pages write it. */
export function pText(negLog10: number): string {
  if (!Number.isFinite(negLog10)) return "0";
  if (negLog10 < 3) return (10 ** -negLog10).toPrecision(2);
  let exponent = Math.ceil(negLog10);
  let mantissa = (10 ** (exponent - negLog10)).toFixed(1);
  if (mantissa === "10.0") { mantissa = "1.0"; exponent -= 1; }
  return `${mantissa}×10⁻${[...String(exponent)].map((d) => SUPERSCRIPTS[Number(d)]).join("")}`;
}

export const LD_STEPS = [0.2, 0.4, 0.6, 0.8];

/** 0 to 4 by r², −1 where it is not known. */
export function ldClass(r2: number): number {
  return Number.isNaN(r2) ? -1 : LD_STEPS.filter((step) => r2 >= step).length;
}
