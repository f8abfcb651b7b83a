// Tiles of the drawn genome: stretches of 2^level bases that a window is put together from, fetched once,
// kept, cancelled when no longer wanted. Knows nothing of what a tile holds.

import type { Genome, Window } from "./genome.js";
import { span } from "./genome.js";

export interface Tile { level: number; index: number }

export const key = (tile: Tile): string => `${tile.level}/${tile.index}`;

/** The level whose tiles are at least as wide as a window and less than twice. */
export const levelOf = (w: Window): number => Math.max(5, Math.ceil(Math.log2(span(w))));

/** The tiles of a level that a window touches, from left to right: two at most at the window's own level. */
export function tilesOf(w: Window, level = levelOf(w)): Tile[] {
  const wide = 2 ** level;
  const made: Tile[] = [];
  for (let index = Math.floor(w.left / wide); index * wide < w.right; index++) made.push({ level, index });
  return made;
}

export function windowOf(tile: Tile): Window {
  const wide = 2 ** tile.level;
  return { left: tile.index * wide, right: (tile.index + 1) * wide };
}

/** A tile as the server is asked for it: cut at the ends of the genome. */
export function regionOf(genome: Genome, tile: Tile): string {
  const { left, right } = windowOf(tile);
  return genome.region({ left: Math.max(0, left), right: Math.min(genome.end, right) });
}

/** Tiles worth having next: those beside the window, the wider one around it, the narrower ones in its middle. */
export function neighbours(genome: Genome, w: Window): Tile[] {
  const level = levelOf(w);
  const middle = (w.left + w.right) / 2;
  const around: Window[] = [
    { left: w.right, right: w.right + span(w) },
    { left: w.left - span(w), right: w.left },
  ];
  const wanted = around.filter((n) => n.right > 0 && n.left < genome.end).flatMap((n) => tilesOf(n, level));
  wanted.push(...tilesOf({ left: middle, right: middle + 1 }, level + 1));
  if (level > 6) wanted.push(...tilesOf({ left: middle, right: middle + 1 }, level - 1));
  const own = new Set(tilesOf(w, level).map(key));
  return wanted.filter((tile) => tile.index >= 0 && windowOf(tile).left < genome.end && !own.has(key(tile)));
}

const KEPT = 160;
const TOGETHER = 4; // requests on their way at once; browsers open six connections to a host

/** Tiles of one kind: what was fetched, what is on its way. `changed` is called when one arrives. */
export class Tiles<T> {
  private readonly held = new Map<string, T>();
  private readonly coming = new Map<string, AbortController>();
  private waiting: Tile[] = [];
  failed = false;

  constructor(
    private readonly load: (tile: Tile, signal: AbortSignal) => Promise<T>,
    private readonly changed: () => void,
  ) {}

  /** What to draw of a window: the tile, else the narrowest wider one that is here. Exact tells which. */
  best(w: Window): { value: T; window: Window; exact: boolean }[] {
    const found: { value: T; window: Window; exact: boolean }[] = [];
    for (const tile of tilesOf(w)) {
      const own = this.get(tile);
      if (own !== undefined) found.push({ value: own, window: windowOf(tile), exact: true });
      else {
        const wider = this.wider(tile);
        if (wider !== undefined) found.push({ value: wider, window: windowOf(tile), exact: false });
      }
    }
    return found;
  }

  complete(w: Window): boolean {
    return tilesOf(w).every((tile) => this.held.has(key(tile)));
  }

  /** Ask for what a window needs, then for its neighbours; what neither wants is cancelled. */
  want(w: Window, next: Tile[]): void {
    const needed = tilesOf(w);
    const wanted = [...needed, ...next].filter((tile) => !this.held.has(key(tile)));
    const names = new Set(wanted.map(key));
    for (const [name, control] of this.coming) {
      if (!names.has(name)) {
        control.abort();
        this.coming.delete(name);
      }
    }
    this.waiting = wanted.filter((tile) => !this.coming.has(key(tile)));
    this.start();
  }

  forget(): void {
    for (const control of this.coming.values()) control.abort();
    this.coming.clear();
    this.held.clear();
    this.waiting = [];
  }

  private get(tile: Tile): T | undefined {
    const name = key(tile);
    const value = this.held.get(name);
    if (value !== undefined) { // the least lately used goes first
      this.held.delete(name);
      this.held.set(name, value);
    }
    return value;
  }

  private wider(tile: Tile): T | undefined {
    for (let up = 1; up <= 12; up++) {
      const found = this.get({ level: tile.level + up, index: Math.floor(tile.index / 2 ** up) });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private start(): void {
    while (this.coming.size < TOGETHER && this.waiting.length > 0) {
      const tile = this.waiting.shift()!;
      const control = new AbortController();
      this.coming.set(key(tile), control);
      void this.fetch(tile, control);
    }
  }

  private async fetch(tile: Tile, control: AbortController): Promise<void> {
    const name = key(tile);
    try {
      const value = await this.load(tile, control.signal);
      if (control.signal.aborted) return;
      this.held.set(name, value);
      while (this.held.size > KEPT) this.held.delete(this.held.keys().next().value!);
      this.failed = false;
    } catch {
      if (control.signal.aborted) return;
      this.failed = true;
    }
    if (this.coming.get(name) === control) this.coming.delete(name);
    this.changed();
    this.start();
  }
}
