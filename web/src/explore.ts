// The island of the explorer: makes the page of a window continuous. It draws on canvases from tiles of the
// same answers, keeps the address, and lets the server write every word again once the window rests.
// What fails here leaves the page that was there.

import { colour, drawGenes, drawOverview, drawPanel, drawTrack, GENE_ROW, type Letter, type Little, MARGIN, Sheet } from "./explore/draw.js";
import { type Around, placeGenes, united } from "./explore/genes.js";
import { Genome, placeText, span, type Window } from "./explore/genome.js";
import { listen, moveOf } from "./explore/gestures.js";
import { Heights } from "./explore/heights.js";
import { type Answer, COLUMNS, inside, type Points, pText, readPoints, type Spot, stops, strongest } from "./explore/points.js";
import { fill, queryOf, type Scene, stateOf } from "./explore/scene.js";
import { neighbours, regionOf, type Tile, Tiles } from "./explore/tiles.js";

const SETTLE_MS = 450; // rest after which the address is kept and the words are written again
const REPLACE_MS = 250; // browsers refuse an address that changes more often
const TILE_POINTS = 3_000;
const GENE_ROWS = 8;
const GENES_LEVEL = 23; // tiles of 8 Mb: the widest the server draws genes of
const LETTERS_BP = 160;
const STOPS = 12;
const REACH_PX = 12;

async function fetchJson<T>(address: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(address, { signal, headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()) as T;
}

interface Panel { figure: HTMLElement; sheet: Sheet; stops: HTMLElement; tiles: Tiles<Points>; spots: Spot[]; heights: Heights }

class Explorer {
  private readonly genome: Genome;
  private readonly panels: Panel[];
  private readonly genes: Sheet;
  private readonly around: Tiles<Around>;
  private readonly overview: Sheet | undefined;
  private readonly tip = document.createElement("div");
  private readonly tracks = new Map<string, Sheet>();
  private little: Little | undefined;
  private window: Window;
  private ld: string;
  private frame = 0;
  private settling = 0;
  private replaced = 0;
  private swapping: AbortController | undefined;
  private written: string;

  constructor(private readonly root: HTMLElement, private readonly stage: HTMLElement, private readonly scene: Scene, start: Window) {
    this.genome = new Genome(scene.contigs);
    this.window = start;
    this.ld = scene.ld;
    this.written = this.query();
    this.panels = scene.studies.flatMap((study, i) => this.makePanel(study, i));
    const geneBox = stage.querySelector<HTMLElement>(".genes .plot")!;
    this.genes = new Sheet(geneBox);
    this.around = new Tiles((tile, signal) => this.loadAround(tile, signal), () => this.redraw());
    const above = root.querySelector<HTMLElement>(".overview");
    this.overview = above ? new Sheet(above) : undefined;
    this.tip.className = "tip";
    this.tip.hidden = true;
    for (const drawn of stage.querySelectorAll(".track")) drawn.remove(); // drawn anew below
    stage.append(this.tip);
    this.makeReachable();
    this.listen();
    void this.loadOverview();
    this.move(start);
  }

  // ------------------------------------------------------------ parts

  private makePanel(study: Scene["studies"][number], i: number): Panel[] {
    const figure = this.stage.querySelector<HTMLElement>(`#region-${i + 1}`);
    const box = figure?.querySelector<HTMLElement>(".plot");
    if (!figure || !box) return [];
    const sheet = new Sheet(box);
    const list = document.createElement("div");
    list.className = "stops";
    box.append(list);
    const load = async (tile: Tile, signal: AbortSignal) => readPoints(this.genome,
      await fetchJson<Answer>(this.windowAddress(study.window, tile), signal));
    const tiles = new Tiles<Points>(load, () => this.redraw());
    return [{ figure, sheet, stops: list, tiles, spots: [], heights: new Heights(8) }];
  }

  private windowAddress(base: string, tile: Tile): string {
    const query = new URLSearchParams({ region: regionOf(this.genome, tile), points: String(TILE_POINTS) });
    const lead = this.lead();
    if (lead) {
      query.set("ld", lead);
      if (this.scene.panel) query.set("panel", this.scene.panel);
      if (this.scene.population) query.set("population", this.scene.population);
    }
    query.set("columns", [...COLUMNS, ...(lead ? ["r2"] : [])].join(","));
    return `${base}&${query}`;
  }

  private async loadAround(tile: Tile, signal: AbortSignal): Promise<Around> {
    return fetchJson<Around>(`${this.scene.around}?${new URLSearchParams({ region: regionOf(this.genome, tile) })}`, signal);
  }

  private async loadOverview(): Promise<void> {
    const first = this.scene.studies[0];
    if (!first || !this.overview) return;
    this.little = await fetchJson<Little>(first.overview, new AbortController().signal).catch(() => undefined);
    this.redraw();
  }

  /** The variant the points are coloured by: the one named, else the one the server chose for a narrow window. */
  private lead(): string {
    if (!this.scene.panels || this.ld === "none") return "";
    return this.ld || (span(this.window) <= this.scene.ld_span ? this.scene.lead : "");
  }

  // ------------------------------------------------------------ state

  private query(): string {
    return queryOf(this.scene, { region: this.genome.region(this.window), ld: this.ld });
  }

  /** Look at a window: drawn at once from what is here, then from what arrives. */
  private move(w: Window): void {
    const before = this.lead();
    this.window = w;
    if (this.lead() !== before) for (const panel of this.panels) panel.tiles.forget();
    this.hideTip();
    const next = neighbours(this.genome, w);
    for (const panel of this.panels) panel.tiles.want(w, next);
    if (this.genesDrawn()) this.around.want(w, next.filter((tile) => tile.level <= GENES_LEVEL));
    this.redraw();
    this.keepAddress();
    clearTimeout(this.settling);
    this.settling = window.setTimeout(() => void this.settle(), SETTLE_MS);
  }

  private genesDrawn(): boolean {
    return span(this.window) <= 2 ** GENES_LEVEL;
  }

  private keepAddress(): void {
    const now = performance.now();
    if (now - this.replaced < REPLACE_MS || this.query() === stateQuery()) return;
    this.replaced = now;
    if (this.written !== stateQuery()) history.replaceState(null, "", `?${this.query()}`);
    else history.pushState(null, "", `?${this.query()}`); // the first step away from where one rested
  }

  /** The window rests: the address is kept, and the server writes heading, sentences and tables for it. */
  private async settle(): Promise<void> {
    const query = this.query();
    if (query === this.written) return;
    if (this.written === stateQuery()) history.pushState(null, "", `?${query}`);
    else history.replaceState(null, "", `?${query}`);
    await this.write(query);
  }

  private async write(query: string): Promise<void> {
    this.written = query;
    this.swapping?.abort();
    const control = (this.swapping = new AbortController());
    try {
      const response = await fetch(`${this.scene.page}?${query}`, { signal: control.signal, headers: { Accept: "text/html" } });
      if (!response.ok) return;
      this.swap(new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch {
      // Given up for a newer window, or the server is away: the drawing stands, and so do the old words.
    }
  }

  /** Take over what the server wrote: everything but the drawings and what has the focus. */
  private swap(page: Document): void {
    document.title = page.title;
    for (const link of document.querySelectorAll<HTMLAnchorElement>(".languages a, link[rel=alternate]")) {
      const other = page.querySelector(`[hreflang="${link.hreflang}"]`);
      if (other) link.setAttribute("href", other.getAttribute("href") ?? "");
    }
    for (const part of document.querySelectorAll<HTMLElement>("[data-part]")) {
      const fresh = page.querySelector<HTMLElement>(`[data-part="${part.dataset["part"]}"]`);
      if (fresh && !part.contains(document.activeElement)) part.replaceChildren(...fresh.childNodes);
    }
    const region = this.root.querySelector<HTMLInputElement>("input[name=region]");
    if (region && region !== document.activeElement) region.value = this.genome.region(this.window);
    const scene = page.querySelector<HTMLElement>("[data-explore]")?.dataset["explore"];
    if (!scene) return;
    const lead = (JSON.parse(scene) as Scene).lead;
    if (lead !== this.scene.lead && !this.ld) {
      this.scene.lead = lead;
      for (const panel of this.panels) panel.tiles.forget();
      for (const panel of this.panels) panel.tiles.want(this.window, []);
    }
    this.redraw();
  }

  // ------------------------------------------------------------ drawing

  private redraw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    const around = this.genesDrawn() ? this.around.best(this.window).map((part) => part.value) : [];
    const curves = around.map((part) => part.recombination);
    const lead = this.lead();
    for (const panel of this.panels) {
      const parts = panel.tiles.best(this.window);
      panel.spots = inside(parts, this.window);
      const best = strongest(panel.spots);
      if (best || panel.tiles.complete(this.window)) {
        panel.heights = Heights.of(best ? best.points.y[best.at]! : 0, this.scene.threshold);
      }
      drawPanel(panel.sheet, this.genome, this.window, {
        spots: panel.spots, heights: panel.heights, lead, coloured: lead !== "", threshold: this.scene.threshold,
        thresholdText: "5×10⁻⁸", curves, curveText: this.scene.texts["recombination"]!,
      }, this.scene.shapes);
      panel.figure.toggleAttribute("data-waiting", !panel.tiles.complete(this.window));
      panel.figure.toggleAttribute("data-failed", panel.tiles.failed);
      this.placeStops(panel);
    }
    this.drawBelow(around);
    if (this.overview) drawOverview(this.overview, this.little, this.window, this.genome.end);
    this.root.dataset["live"] = "yes";
    this.root.dataset["region"] = this.genome.region(this.window);
  }

  private drawBelow(around: readonly Around[]): void {
    const { pen } = this.genes;
    const width = this.genes.box.clientWidth - MARGIN.left - MARGIN.right;
    pen.font = `italic 12px ${getComputedStyle(document.body).fontFamily}`;
    const placed = placeGenes(united(around), this.window, width, GENE_ROWS, (text) => pen.measureText(text).width);
    const letters = span(this.window) <= LETTERS_BP ? this.letters() : [];
    const rows = Math.max(0, ...placed.map((p) => p.row + 1));
    const high = rows * GENE_ROW + (letters.length ? 34 : 0);
    this.genes.box.style.height = high ? `${MARGIN.top + MARGIN.bottom + high}px` : "0";
    drawGenes(this.genes, this.genome, this.window, placed, letters);
    this.drawTracks(around);
  }

  /** Each track below the genes: its figure is made when a window first has it. */
  private drawTracks(around: readonly Around[]): void {
    const titles = [...new Set(around.flatMap((part) => part.tracks.map((track) => track.title)))];
    for (const title of titles) if (!this.tracks.has(title)) this.tracks.set(title, this.makeTrack(title));
    for (const [title, sheet] of this.tracks) {
      const strips = around.flatMap((part) => part.tracks.filter((track) => track.title === title));
      sheet.box.closest("figure")!.hidden = strips.length === 0;
      if (strips.length) drawTrack(sheet, this.window, strips);
    }
  }

  private makeTrack(title: string): Sheet {
    const figure = document.createElement("figure");
    figure.className = "figure track";
    const caption = document.createElement("figcaption");
    const name = document.createElement("h2");
    name.className = "quiet";
    name.textContent = title;
    caption.append(name);
    const box = document.createElement("div");
    box.className = "plot";
    figure.append(caption, box);
    this.tip.before(figure);
    return new Sheet(box);
  }

  /** Alleles of the variants in view, at the closest. */
  private letters(): Letter[] {
    const found = new Map<number, Letter>();
    for (const panel of this.panels) {
      for (const { points, at } of panel.spots) {
        const [, , reference, other] = points.id[at]!.split("-");
        if (reference && other) found.set(points.place[at]!, { place: points.place[at]!, reference, other });
      }
    }
    return [...found.values()];
  }

  // ------------------------------------------------------------ points as links

  /** The strongest points as real links over the drawing: Tab walks them, Enter opens them. */
  private placeStops(panel: Panel): void {
    const focused = panel.stops.contains(document.activeElement) ? (document.activeElement as HTMLAnchorElement).href : "";
    const made = stops(panel.spots, this.window, STOPS).map((spot) => this.stop(panel, spot));
    panel.stops.replaceChildren(...made);
    if (focused) (made.find((link) => link.href === focused) ?? this.stage).focus({ preventScroll: true });
  }

  private stop(panel: Panel, spot: Spot): HTMLAnchorElement {
    const link = document.createElement("a");
    link.href = this.hrefOf(spot);
    link.className = "stop";
    link.setAttribute("aria-label", `${spot.points.name[spot.at]}, p = ${pText(spot.points.y[spot.at]!)}`);
    const [x, y] = this.pixelOf(panel, spot);
    link.style.left = `${x}px`;
    link.style.top = `${y}px`;
    link.addEventListener("focus", () => this.showTip(panel, spot, false));
    link.addEventListener("blur", () => this.hideTip());
    return link;
  }

  private hrefOf(spot: Spot): string {
    return `${this.scene.variants}/${encodeURIComponent(spot.points.id[spot.at]!)}`;
  }

  private pixelOf(panel: Panel, spot: Spot): [number, number] {
    const x = panel.sheet.x(spot.points.place[spot.at]! + 0.5, this.window);
    return [x, MARGIN.top + (1 - panel.heights.share(spot.points.y[spot.at]!)) * panel.sheet.inner.height];
  }

  /** The point under a pointer, within reach. */
  private spotAt(event: PointerEvent): { panel: Panel; spot: Spot } | undefined {
    const panel = this.panels.find((p) => p.sheet.canvas === event.target);
    if (!panel) return undefined;
    const edge = panel.sheet.canvas.getBoundingClientRect();
    let best: Spot | undefined;
    let least = REACH_PX * REACH_PX;
    for (const spot of panel.spots) {
      const [x, y] = this.pixelOf(panel, spot);
      const distance = (x - event.clientX + edge.left) ** 2 + (y - event.clientY + edge.top) ** 2;
      if (distance < least) [least, best] = [distance, spot];
    }
    return best && { panel, spot: best };
  }

  private showTip(panel: Panel, spot: Spot, actions: boolean): void {
    const { points, at } = spot;
    const name = document.createElement(actions ? "a" : "strong");
    name.textContent = points.name[at]!;
    if (name instanceof HTMLAnchorElement) name.href = this.hrefOf(spot);
    const note = document.createElement("div");
    note.className = "quiet";
    const r2 = points.r2[at]!;
    note.textContent = [`p = ${pText(points.y[at]!)}`, points.id[at] === points.name[at] ? "" : points.id[at]!,
      Number.isNaN(r2) ? "" : `r² ${r2.toFixed(2)}`, points.best[at] ? this.scene.texts["bin"]! : ""].filter(Boolean).join(" · ");
    this.tip.replaceChildren(name, note);
    if (actions && this.scene.panels) this.tip.append(this.colourButton(points.id[at]!, points.name[at]!));
    this.tip.classList.toggle("pinned", actions);
    this.tip.hidden = false;
    const [x, y] = this.pixelOf(panel, spot);
    const box = panel.sheet.box;
    const left = box.offsetLeft + x;
    this.tip.style.left = `${Math.max(4, Math.min(left + 10, this.stage.clientWidth - this.tip.offsetWidth - 4))}px`;
    this.tip.style.top = `${Math.max(0, box.offsetTop + y - this.tip.offsetHeight - 8)}px`;
  }

  private colourButton(id: string, name: string): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = fill(this.scene.texts["color_by"]!, { variant: name });
    button.addEventListener("click", () => {
      this.ld = id;
      for (const panel of this.panels) panel.tiles.forget();
      this.move(this.window);
      this.stage.focus();
    });
    return button;
  }

  private hideTip(): void {
    this.tip.hidden = true;
  }

  // ------------------------------------------------------------ hands

  private makeReachable(): void {
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "group");
    this.stage.setAttribute("aria-label", this.scene.texts["keys"]!);
    for (const panel of this.panels) this.offerPicture(panel);
  }

  private listen(): void {
    const sheet = () => (this.panels[0]?.sheet ?? this.genes);
    const drawn = (target: EventTarget | null) => target instanceof HTMLCanvasElement;
    listen(this.stage, drawn, {
      genome: this.genome,
      get: () => this.window,
      set: (w) => this.move(w),
      placeAt: (x) => sheet().place(x - sheet().canvas.getBoundingClientRect().left, this.window),
      pixels: () => sheet().inner.width,
      tap: (event) => {
        const found = this.spotAt(event);
        if (found) this.showTip(found.panel, found.spot, true);
        else this.hideTip();
      },
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (event.buttons || this.tip.classList.contains("pinned") && !this.tip.hidden) return;
      const found = event.pointerType === "mouse" ? this.spotAt(event) : undefined;
      if (found) this.showTip(found.panel, found.spot, false);
      else if (!(document.activeElement instanceof HTMLAnchorElement)) this.hideTip();
    });
    this.root.querySelector(".steps")?.addEventListener("click", (event) => this.stepped(event as MouseEvent));
    this.overview?.canvas.addEventListener("click", (event) => this.jump(event));
    addEventListener("popstate", () => this.arrive());
    new ResizeObserver(() => this.redraw()).observe(this.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** The links that move, without a new page. */
  private stepped(event: MouseEvent): void {
    const link = (event.target as HTMLElement).closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const kind = /step-(\w+)/.exec(link.className)?.[1] ?? "";
    const key = { left: "ArrowLeft", right: "ArrowRight", in: "+", out: "-", genome: "0" }[kind];
    const contig = this.genome.contigAt((this.window.left + this.window.right) / 2);
    const next = kind === "contig" ? this.genome.clamp({ left: contig.offset, right: contig.offset + contig.length })
      : key && moveOf({ key, shiftKey: false }, this.genome, this.window);
    if (!next) return;
    event.preventDefault();
    this.move(next);
  }

  /** To a place of the whole genome: the chromosome from far, the same width from near. */
  private jump(event: MouseEvent): void {
    const sheet = this.overview!;
    const whole = { left: 0, right: this.little?.width ?? this.genome.end };
    const place = sheet.place(event.clientX - sheet.canvas.getBoundingClientRect().left, whole);
    const contig = this.genome.contigAt(place);
    const wide = span(this.window);
    if (wide >= contig.length) this.move(this.genome.clamp({ left: contig.offset, right: contig.offset + contig.length }));
    else this.move(this.genome.clamp({ left: place - wide / 2, right: place + wide / 2 }));
  }

  /** Back or forward: the address rules. */
  private arrive(): void {
    const state = stateOf(location.search);
    const there = this.genome.window(state.region);
    if (!there || new URLSearchParams(location.search).get("studies") !== new URLSearchParams(this.query()).get("studies")) {
      location.reload();
      return;
    }
    this.ld = state.ld;
    this.written = stateQuery();
    this.move(there);
    clearTimeout(this.settling);
    void this.write(stateQuery());
  }

  /** A PNG of what is shown now, beside the files the server makes. */
  private offerPicture(panel: Panel): void {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = this.scene.texts["png"]!;
    button.addEventListener("click", () => {
      const copy = document.createElement("canvas");
      copy.width = panel.sheet.canvas.width;
      copy.height = panel.sheet.canvas.height;
      const pen = copy.getContext("2d")!;
      pen.fillStyle = colour("card");
      pen.fillRect(0, 0, copy.width, copy.height);
      pen.drawImage(panel.sheet.canvas, 0, 0);
      const link = document.createElement("a");
      link.href = copy.toDataURL("image/png");
      link.download = `${placeText(this.genome, this.window).replace(/[^\w.-]+/g, "-")}.png`;
      link.click();
    });
    panel.figure.querySelector(".keep")?.append(button);
  }
}

const stateQuery = (): string => location.search.replace(/^\?/, "");

function begin(): void {
  const root = document.querySelector<HTMLElement>("[data-explore]");
  const stage = root?.querySelector<HTMLElement>(".stage");
  if (!root || !stage) return;
  const scene = JSON.parse(root.dataset["explore"] ?? "") as Scene;
  const start = new Genome(scene.contigs).window(scene.region);
  if (!start || scene.studies.length === 0) return; // a contig too short to be drawn: the page stands as it is
  const query = queryOf(scene, { region: scene.region, ld: scene.ld });
  if (query !== stateQuery()) history.replaceState(null, "", `?${query}`);
  new Explorer(root, stage, scene, start);
}

begin();
