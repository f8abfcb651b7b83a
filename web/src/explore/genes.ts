// Genes in rows so that neither bars nor names overlap. No DOM: how wide a name is comes in.

import type { Window } from "./genome.js";
import { span } from "./genome.js";

export interface Gene {
  start: number; // places on the drawn genome
  end: number;
  exons: [number, number][];
  symbol: string;
  strand: string;
  href: string;
}

export interface Around {
  genes: Gene[];
  too_wide: boolean;
  recombination: { x: number[]; y: number[] };
  tracks: Strip[];
}

/** One track: ends of its items on the drawn genome, heights 0 to 1; `top` is the value of 1, null for intervals. */
export interface Strip { title: string; ends: [number[], number[]]; heights: number[]; top: number | null }

export interface Placed { gene: Gene; row: number; low: number; high: number; middle: number }

export const label = (gene: Gene): string =>
  gene.strand === "+" ? `${gene.symbol} →` : gene.strand === "-" ? `← ${gene.symbol}` : gene.symbol;

/** Rows of the genes of a window, in pixels of a drawing `width` wide; those beyond `most` rows are left out. */
export function placeGenes(
  genes: readonly Gene[], w: Window, width: number, most: number, measure: (text: string) => number,
): Placed[] {
  const ends: number[] = [];
  const placed: Placed[] = [];
  const pixel = (place: number) => ((place - w.left) / span(w)) * width;
  for (const gene of [...genes].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (gene.end < w.left || gene.start > w.right) continue;
    const low = Math.max(0, pixel(gene.start));
    const high = Math.min(width, pixel(gene.end));
    const half = measure(label(gene)) / 2;
    const middle = Math.min(Math.max((low + high) / 2, half), width - half);
    const from = Math.min(low, middle - half) - 4;
    const to = Math.max(high, middle + half) + 4;
    let row = ends.findIndex((end) => end < from);
    if (row < 0) {
      if (ends.length === most) continue;
      row = ends.length;
      ends.push(0);
    }
    ends[row] = to;
    placed.push({ gene, row, low, high: Math.max(high, low + 1), middle });
  }
  return placed;
}

/** Genes of several tiles, each once. */
export function united(parts: readonly Around[]): Gene[] {
  const seen = new Map<string, Gene>();
  for (const part of parts) for (const gene of part.genes) seen.set(`${gene.symbol} ${gene.start}`, gene);
  return [...seen.values()];
}
