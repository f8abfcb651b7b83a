// Hands on a drawing: drag, wheel, pinch, double click and keys, turned into moves of a window. A short press
// without a move is a tap and is given back. No drawing.

import type { Genome, Window } from "./genome.js";
import { span } from "./genome.js";

const TAP_PX = 5;
const WHEEL = 600; // pixels of wheel for a factor of e

export interface Hands {
  genome: Genome;
  get(): Window;
  set(w: Window): void;
  placeAt(clientX: number): number; // place on the genome under a pointer
  pixels(): number; // width of the drawing
  tap(event: PointerEvent): void;
}

export function listen(stage: HTMLElement, drawn: (target: EventTarget | null) => boolean, hands: Hands): void {
  const down = new Map<number, PointerEvent>();
  let from: Window | undefined;
  let start = { x: 0, spread: 0, centre: 0 };
  let moved = false;

  const begin = () => {
    const held = [...down.values()];
    from = hands.get();
    start = { x: middle(held), spread: spread(held), centre: hands.placeAt(middle(held)) };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (!drawn(event.target) || (event.pointerType === "mouse" && event.button !== 0)) return;
    down.set(event.pointerId, event);
    if (down.size === 1) moved = false;
    begin();
  });
  stage.addEventListener("pointermove", (event) => {
    if (!down.has(event.pointerId) || !from) return;
    down.set(event.pointerId, event);
    const held = [...down.values()];
    if (Math.abs(middle(held) - start.x) > TAP_PX || held.length > 1) {
      if (!moved) stage.setPointerCapture(event.pointerId);
      moved = true;
    }
    if (!moved) return;
    const wide = span(from) / (held.length > 1 && start.spread > 0 ? spread(held) / start.spread : 1);
    const left = start.centre - ((start.centre - from.left) / span(from)) * wide;
    const shift = ((middle(held) - start.x) / hands.pixels()) * wide;
    hands.set(hands.genome.clamp({ left: left - shift, right: left - shift + wide }));
  });
  const end = (event: PointerEvent) => {
    if (!down.delete(event.pointerId)) return;
    if (down.size > 0) begin();
    else if (!moved && event.type === "pointerup") hands.tap(event);
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener("dblclick", (event) => {
    if (!drawn(event.target)) return;
    event.preventDefault();
    hands.set(hands.genome.zoom(hands.get(), event.shiftKey ? 1 / 3 : 3, hands.placeAt(event.clientX)));
  });
  stage.addEventListener("wheel", (event) => {
    if (!drawn(event.target)) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = (event.deltaX || event.deltaY) * lines;
      hands.set(hands.genome.pan(hands.get(), by / hands.pixels()));
    } else {
      const factor = Math.exp((-event.deltaY * lines) / WHEEL);
      hands.set(hands.genome.zoom(hands.get(), factor, hands.placeAt(event.clientX)));
    }
  }, { passive: false });
  stage.addEventListener("keydown", (event) => {
    const next = event.target === stage ? moveOf(event, hands.genome, hands.get()) : undefined;
    if (!next) return;
    event.preventDefault();
    hands.set(next);
  });
}

const middle = (held: readonly PointerEvent[]): number => held.reduce((sum, e) => sum + e.clientX, 0) / held.length;
const spread = (held: readonly PointerEvent[]): number =>
  held.length < 2 ? 0 : Math.max(20, Math.abs(held[0]!.clientX - held[1]!.clientX));

/** The window a key leads to; undefined for any other key. */
export function moveOf(event: { key: string; shiftKey?: boolean; ctrlKey?: boolean; metaKey?: boolean; altKey?: boolean },
  genome: Genome, w: Window): Window | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const step = event.shiftKey ? 0.8 : 0.2;
  const centre = (w.left + w.right) / 2;
  const contig = genome.contigAt(centre);
  const wide = Math.min(span(w), contig.length);
  switch (event.key) {
    case "ArrowLeft": return genome.pan(w, -step);
    case "ArrowRight": return genome.pan(w, step);
    case "+": case "=": case "ArrowUp": return genome.zoom(w, 2, centre);
    case "-": case "_": case "ArrowDown": return genome.zoom(w, 0.5, centre);
    case "Home": return genome.clamp({ left: contig.offset, right: contig.offset + wide });
    case "End": return genome.clamp({ left: contig.offset + contig.length - wide, right: contig.offset + contig.length });
    case "0": return genome.whole();
    default: return undefined;
  }
}
