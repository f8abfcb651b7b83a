// The island of the browse page: the centre's own tracks in igv.js, read from this server and from nowhere else.
// What fails here leaves the table of tracks that was there.

import igv from "igv/dist/igv.esm.min.js";

interface Track {
  readonly name: string;
  readonly kind: "transcripts" | "intervals" | "signal" | "recombination";
  readonly path: string;
}

interface Browse {
  readonly assembly: string;
  readonly sizes: string;
  readonly bands: string | null;
  readonly locus: string;
  readonly tracks: readonly Track[];
}

interface Feature {
  chr: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

type Columns = Record<string, unknown[]>;

const API = "/api/v1";
const PAGE_ROWS = 20_000;
const PAGES_MAX = 5; // beyond lies a window too wide to draw one by one
const VISIBLE_BP = 5_000_000;
const COLOURS = { transcripts: "#1f5f8b", intervals: "#4a6b2a", signal: "#7a4b8c", recombination: "#8a5a00" } as const;

/** Rows of a table of the API for a place that counts from 0 with the end left out, as igv counts. */
async function rowsOf(path: string, chr: string, start: number, end: number): Promise<Record<string, unknown>[]> {
  if (chr === "all") return []; // the whole genome at once is not drawn feature by feature
  const region = `${chr}:${Math.floor(start) + 1}-${Math.ceil(end)}`;
  let url: string | null = `${API}${path}?${new URLSearchParams({ region, page_size: String(PAGE_ROWS) }).toString()}`;
  const rows: Record<string, unknown>[] = [];
  for (let page = 0; url !== null && page < PAGES_MAX; page++) {
    const answer: Response = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    const body = (await answer.json()) as { data: Columns; next: string | null };
    const names = Object.keys(body.data);
    const count = body.data[names[0] ?? ""]?.length ?? 0;
    for (let at = 0; at < count; at++) rows.push(Object.fromEntries(names.map((name) => [name, body.data[name]?.[at]])));
    url = body.next;
  }
  return rows;
}

function asFeature(row: Record<string, unknown>): Feature {
  const { chromosome, start, end, feature_name: name, score, strand, colour } = row;
  const feature: Feature = { chr: String(chromosome), start: Number(start) - 1, end: Number(end) };
  if (name) feature["name"] = name;
  if (typeof score === "number") feature["score"] = score;
  if (strand) feature["strand"] = strand;
  if (colour) feature["color"] = `rgb(${String(colour)})`;
  return feature;
}

function asTranscript(row: Record<string, unknown>): Feature {
  const starts = row["exon_starts"] as number[];
  const ends = row["exon_ends"] as number[];
  const first = row["cds_start"] as number | null;
  const last = row["cds_end"] as number | null;
  const exons = starts.map((from, at) => {
    const exon: Record<string, unknown> = { start: from - 1, end: ends[at] };
    if (first === null || last === null || (ends[at] ?? 0) < first || from > last) exon["utr"] = true;
    else Object.assign(exon, { cdStart: Math.max(from, first) - 1, cdEnd: Math.min(ends[at] ?? 0, last) });
    return exon;
  });
  return {
    ...asFeature(row),
    name: row["gene_symbol"],
    id: row["transcript_id"],
    ...(first !== null && last !== null ? { cdStart: first - 1, cdEnd: last } : {}),
    exons,
  };
}

function asRates(rows: Record<string, unknown>[]): Feature[] {
  const features: Feature[] = [];
  for (let at = 0; at + 1 < rows.length; at++) {
    const [here, next] = [rows[at], rows[at + 1]];
    const rate = here?.["recombination_rate"];
    if (!here || !next || typeof rate !== "number") continue;
    const [start, end] = [Number(here["base_pair_location"]) - 1, Number(next["base_pair_location"]) - 1];
    features.push({ chr: String(here["chromosome"]), start, end, value: rate });
  }
  return features;
}

function asOptions(track: Track): Record<string, unknown> {
  const shared = { name: track.name, color: COLOURS[track.kind], visibilityWindow: VISIBLE_BP };
  const read = (chr: string, start: number, end: number) => rowsOf(track.path, chr, start, end);
  if (track.kind === "signal") return { ...shared, visibilityWindow: -1, type: "wig", format: "bigwig", url: API + track.path };
  if (track.kind === "recombination") {
    const reader = { readFeatures: async (chr: string, start: number, end: number) => asRates(await read(chr, start, end)) };
    return { ...shared, type: "wig", graphType: "bar", autoscale: true, reader };
  }
  const make = track.kind === "transcripts" ? asTranscript : asFeature;
  const reader = {
    readFeatures: async (chr: string, start: number, end: number) => (await read(chr, start, end)).map(make),
  };
  return { ...shared, type: "annotation", displayMode: "EXPANDED", reader };
}

async function begin(host: HTMLElement): Promise<void> {
  const wanted = JSON.parse(host.dataset["browse"] ?? "{}") as Browse;
  const genome = {
    id: wanted.assembly,
    name: wanted.assembly,
    format: "chromsizes", // names and lengths alone: no sequence is needed
    fastaURL: wanted.sizes,
    ...(wanted.bands ? { cytobandURL: wanted.bands } : {}),
  };
  await igv.createBrowser(host, {
    reference: genome,
    loadDefaultGenomes: false,
    locus: wanted.locus,
    showSampleNames: false,
    showSVGButton: true,
    tracks: wanted.tracks.map(asOptions),
  });
  host.dataset["live"] = "";
}

const host = document.querySelector<HTMLElement>("[data-browse]");
if (host) {
  begin(host).catch((error: unknown) => {
    host.textContent = host.dataset["failed"] ?? "";
    console.error(error);
  });
}
