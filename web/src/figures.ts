// The island of the figures: replaces each server-made drawing by one to hover, click, zoom and walk with keys.
// What fails here leaves the drawing that was there. Nothing moves by itself.

import { type Chart, createChart, drawPlot } from "./chart.js";
import { nearest, type Plot, walk, zoomed } from "./plot.js";

const REACH_PX = 14;
const WIDE_PX = 600;

function element<K extends keyof HTMLElementTagNameMap>(name: K, className: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

class LiveFigure {
  private readonly host = element("div", "chart");
  private readonly tip = element("div", "tip");
  private readonly said = element("p", "said");
  private readonly reset = element("button", "reset");
  private readonly chart: Chart;
  private readonly walked: number[];
  private step = -1;
  private shown = -1;

  constructor(private readonly figure: HTMLElement, private readonly box: HTMLElement, private readonly plot: Plot) {
    this.walked = walk(plot.points);
    this.host.tabIndex = 0;
    this.host.setAttribute("role", "application");
    this.host.setAttribute("aria-label", `${figure.dataset["label"] ?? ""} ${figure.dataset["keys"] ?? ""}`);
    this.said.setAttribute("aria-live", "polite");
    this.tip.hidden = this.reset.hidden = true;
    this.reset.type = "button";
    this.reset.textContent = figure.dataset["reset"] ?? "";
    box.replaceChildren(this.host, this.tip, this.reset);
    box.after(this.said);
    this.chart = createChart(this.host);
    this.draw();
    this.listen();
    this.offerPicture();
  }

  private draw(): void {
    drawPlot(this.chart, this.plot, this.box.clientWidth >= WIDE_PX);
  }

  private listen(): void {
    new ResizeObserver(() => { this.chart.resize(); this.draw(); }).observe(this.box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.host.addEventListener("pointermove", (event) => this.hover(event));
    this.host.addEventListener("pointerleave", () => this.show(-1));
    this.host.addEventListener("click", (event) => { this.hover(event); this.open(); });
    this.host.addEventListener("dblclick", (event) => this.zoom(4, this.valueAt(event)));
    this.host.addEventListener("keydown", (event) => this.key(event));
    this.host.addEventListener("blur", () => this.show(-1));
    this.reset.addEventListener("click", () => { this.zoomTo([0, this.plot.width]); this.host.focus(); });
    this.chart.on("dataZoom", () => this.reveal());
  }

  private pixel(i: number): [number, number] {
    return this.chart.convertToPixel("grid", [this.plot.points.x[i]!, this.plot.points.y[i]!]) as [number, number];
  }

  private hover(event: MouseEvent): void {
    const edge = this.host.getBoundingClientRect();
    const place = { left: event.clientX - edge.left, top: event.clientY - edge.top };
    const [x0, y0] = this.chart.convertToPixel("grid", [0, 0]) as [number, number];
    const [x1, y1] = this.chart.convertToPixel("grid", [this.plot.width, 1]) as [number, number];
    const toPixel = {
      x: (v: number) => x0 + (v / this.plot.width) * (x1 - x0),
      y: (v: number) => y0 + v * (y1 - y0),
    };
    this.show(nearest(this.plot.points, place, toPixel, REACH_PX));
  }

  private valueAt(event: MouseEvent): number {
    const edge = this.host.getBoundingClientRect();
    return (this.chart.convertFromPixel("grid", [event.clientX - edge.left, 0]) as [number, number])[0];
  }

  /** Show what a point is; -1 hides. */
  private show(i: number): void {
    this.shown = i;
    this.tip.hidden = i < 0;
    const { name, note, href } = this.plot.points;
    this.host.style.cursor = i >= 0 && href[i] ? "pointer" : "";
    if (i < 0) return;
    const strong = document.createElement("strong");
    strong.textContent = name[i] ?? "";
    const quiet = element("div", "quiet");
    quiet.textContent = note[i] ?? "";
    this.tip.replaceChildren(strong, quiet);
    const [left, top] = this.pixel(i);
    const room = this.box.clientWidth - this.tip.offsetWidth - 4;
    this.tip.style.left = `${Math.max(4, Math.min(left + 10, room))}px`;
    this.tip.style.top = `${Math.max(0, top - this.tip.offsetHeight - 10)}px`;
  }

  private open(): void {
    const href = this.plot.points.href[this.shown];
    if (href) location.assign(href);
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (step) this.walkBy(step);
    else if (event.key === "Enter" && this.shown >= 0) this.open();
    else if (event.key === "Escape") this.show(-1);
    else if (event.key === "+" || event.key === "=") this.zoom(2, this.centre());
    else if (event.key === "-") this.zoom(0.5, this.centre());
    else if (event.key === "0") this.zoomTo([0, this.plot.width]);
    else return;
    event.preventDefault();
  }

  private walkBy(step: number): void {
    if (this.walked.length === 0) return;
    this.step = this.step < 0 ? (step > 0 ? 0 : this.walked.length - 1)
      : (this.step + step + this.walked.length) % this.walked.length;
    const i = this.walked[this.step]!;
    const [from, to] = this.window();
    const x = this.plot.points.x[i]!;
    if (x < from || x > to) this.zoomTo([from + x - (from + to) / 2, to + x - (from + to) / 2]);
    this.show(i);
    this.said.textContent = `${this.plot.points.name[i]}, ${this.plot.points.note[i]}`;
  }

  private window(): [number, number] {
    const zoom = (this.chart.getOption() as { dataZoom?: { startValue?: number; endValue?: number }[] }).dataZoom?.[0];
    return [zoom?.startValue ?? 0, zoom?.endValue ?? this.plot.width];
  }

  private centre(): number {
    const [from, to] = this.window();
    return this.shown >= 0 ? this.plot.points.x[this.shown]! : (from + to) / 2;
  }

  private zoom(factor: number, centre: number): void {
    this.zoomTo(zoomed(this.window(), factor, centre, this.plot.width));
  }

  private zoomTo([from, to]: [number, number]): void {
    if (!this.plot.zoom) return;
    this.chart.dispatchAction({ type: "dataZoom", startValue: from, endValue: to });
    this.reveal();
  }

  private reveal(): void {
    const [from, to] = this.window();
    this.reset.hidden = to - from >= this.plot.width * 0.999;
    this.show(this.step >= 0 && document.activeElement === this.host ? this.walked[this.step]! : -1);
  }

  /** A PNG of what is shown now, beside the files the server offers. */
  private offerPicture(): void {
    const button = element("button", "");
    button.type = "button";
    button.textContent = this.figure.dataset["png"] ?? "PNG";
    button.addEventListener("click", () => {
      const background = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
      const link = document.createElement("a");
      link.href = this.chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: background });
      link.download = `${this.figure.id}.png`;
      link.click();
    });
    this.figure.querySelector(".files")?.append(button);
  }
}

async function enliven(figure: HTMLElement): Promise<void> {
  const box = figure.querySelector<HTMLElement>(".plot");
  const address = figure.dataset["figure"];
  if (!box || !address) return;
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) return;
  new LiveFigure(figure, box, (await response.json()) as Plot);
  figure.dataset["live"] = "yes";
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    void enliven(entry.target as HTMLElement).catch(() => undefined);
  }
}, { rootMargin: "300px" });

for (const figure of document.querySelectorAll<HTMLElement>("[data-figure]")) seen.observe(figure);
