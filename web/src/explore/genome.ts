// The drawn genome: contigs end to end on one axis of bases, windows on it, and their spelling in addresses.
// The same axis as the server's (web/pages/explore_scale.py). No DOM.

export interface Contig { name: string; offset: number; length: number }

/** A window on the drawn genome: from place `left` up to, not including, place `right`. */
export interface Window { left: number; right: number }

export const NARROWEST = 20; // bases

export const span = (w: Window): number => w.right - w.left;

export class Genome {
  readonly contigs: readonly Contig[];
  readonly end: number;

  constructor(rows: readonly (readonly [string, number, number])[]) {
    this.contigs = rows.map(([name, offset, length]) => ({ name, offset, length }));
    this.end = Math.max(...this.contigs.map((c) => c.offset + c.length));
  }

  /** The contig a place lies on; between two, the one before. */
  contigAt(place: number): Contig {
    let low = 0;
    let high = this.contigs.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.contigs[middle]!.offset <= place) low = middle;
      else high = middle;
    }
    return this.contigs[low]!;
  }

  find(name: string): Contig | undefined {
    return this.contigs.find((c) => c.name === name);
  }

  place(name: string, position: number): number | undefined {
    const contig = this.find(name);
    return contig && contig.offset + position - 1;
  }

  whole(): Window {
    return { left: 0, right: this.end };
  }

  isWhole(w: Window): boolean {
    return w.left <= 0 && w.right >= this.end;
  }

  /** The window moved and narrowed so that it lies on the genome; whole numbers of bases. */
  clamp(w: Window): Window {
    const wide = Math.min(this.end, Math.max(NARROWEST, Math.round(span(w))));
    const left = Math.min(Math.max(0, Math.round(w.left)), this.end - wide);
    return { left, right: left + wide };
  }

  pan(w: Window, share: number): Window {
    return this.clamp({ left: w.left + share * span(w), right: w.right + share * span(w) });
  }

  /** Zoomed by a factor (2: half as wide) so that the place under the pointer stays under it. */
  zoom(w: Window, factor: number, at: number): Window {
    const wide = Math.min(this.end, Math.max(NARROWEST, span(w) / factor));
    const share = span(w) > 0 ? (at - w.left) / span(w) : 0.5;
    return this.clamp({ left: at - share * wide, right: at - share * wide + wide });
  }

  /** As the server reads it: 'genome', '2:100-200', or '1:100-3:200' across contigs. */
  region(w: Window): string {
    if (this.isWhole(w)) return "genome";
    const first = this.contigAt(w.left);
    const last = this.contigAt(w.right - 1);
    const start = Math.min(Math.max(1, Math.round(w.left) - first.offset + 1), first.length);
    const end = Math.min(Math.max(1, Math.round(w.right) - last.offset), last.length);
    return first === last ? `${first.name}:${start}-${end}` : `${first.name}:${start}-${last.name}:${end}`;
  }

  /** The window a region means; undefined for one this genome does not draw. */
  window(region: string): Window | undefined {
    if (region === "" || region === "genome") return this.whole();
    const found = /^([^:]+):(\d+)-(?:([^:]+):)?(\d+)$/.exec(region);
    if (!found) {
      const contig = this.find(region);
      return contig && { left: contig.offset, right: contig.offset + contig.length };
    }
    const first = this.find(found[1]!);
    const last = found[3] === undefined ? first : this.find(found[3]);
    if (!first || !last) return undefined;
    return this.clamp({ left: first.offset + Number(found[2]) - 1, right: last.offset + Number(found[4]) });
  }
}

/** The round number of bases next above `raw`: 1, 2 or 5 times a power of ten. */
export function roundStep(raw: number): number {
  if (raw <= 1) return 1;
  const scale = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((s) => s * scale).find((s) => s >= raw * 0.999999) ?? scale * 10;
}

/** A position as a tick shows it: in Mb where the ticks are far apart, else in full. */
export function baseText(position: number, step: number): string {
  if (step >= 10_000) {
    return `${(position / 1e6).toFixed(Math.max(0, 6 - Math.floor(Math.log10(step))))} Mb`;
  }
  return position.toLocaleString("en");
}

export interface Tick { at: number; text: string }

/** Ticks of a window: round positions inside one contig, names of contigs across several. */
export function ticks(genome: Genome, w: Window, most: number): Tick[] {
  const contig = genome.contigAt(w.left);
  if (contig !== genome.contigAt(w.right - 1)) {
    return genome.contigs
      .map((c) => ({ c, low: Math.max(c.offset, w.left), high: Math.min(c.offset + c.length, w.right) }))
      .filter(({ low, high }) => high - low > span(w) / (most * 6))
      .map(({ c, low, high }) => ({ at: (low + high) / 2, text: c.name }));
  }
  const step = roundStep(span(w) / most);
  const made: Tick[] = [];
  const first = Math.max(step, Math.ceil((w.left - contig.offset + 1) / step) * step);
  for (let at = first; at <= Math.min(w.right - contig.offset, contig.length); at += step) {
    made.push({ at: contig.offset + at - 0.5, text: baseText(at, step) });
  }
  return made;
}

/** The window for people: '2:165.2–165.4 Mb' or '2:165,523,100–165,523,140'. */
export function placeText(genome: Genome, w: Window): string {
  const first = genome.contigAt(w.left);
  const last = genome.contigAt(w.right - 1);
  const start = w.left - first.offset + 1;
  const end = w.right - last.offset;
  if (first !== last) return `${first.name}:${(start / 1e6).toFixed(1)} Mb – ${last.name}:${(end / 1e6).toFixed(1)} Mb`;
  if (span(w) < 20_000) return `${first.name}:${start.toLocaleString("en")}–${end.toLocaleString("en")}`;
  const decimals = span(w) < 200_000 ? 3 : span(w) < 5_000_000 ? 2 : 1;
  return `${first.name}:${(start / 1e6).toFixed(decimals)}–${(end / 1e6).toFixed(decimals)} Mb`;
}
