// The arithmetic of the explorer, bundled as the page bundles it: places, tiles, points, genes, addresses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSync } from "esbuild";

async function load(name) {
  const built = buildSync({ entryPoints: [`src/explore/${name}.ts`], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].contents).toString("base64")}`);
}

const { baseText, Genome, placeText, roundStep, ticks } = await load("genome");
const { key, levelOf, neighbours, regionOf, Tiles, tilesOf, windowOf } = await load("tiles");
const { inside, ldClass, pText, readPoints, stops, strongest } = await load("points");
const { label, placeGenes, united } = await load("genes");
const { Heights } = await load("heights");
const { moveOf } = await load("gestures");
const { fill, queryOf, stateOf } = await load("scene");

const genome = new Genome([["1", 0, 1_000_000], ["2", 1_050_000, 500_000], ["X", 1_600_000, 200_000]]);
const wide = (w) => w.right - w.left;

test("a window is spelled as the server reads it, and read back", () => {
  for (const [region, left, right] of [
    ["1:1-1000000", 0, 1_000_000], ["2:5-5000", 1_050_004, 1_055_000], ["1:900000-2:1000", 899_999, 1_051_000],
    ["genome", 0, 1_800_000],
  ]) {
    assert.deepEqual(genome.window(region), { left, right });
    assert.equal(genome.region({ left, right }), region);
  }
  assert.deepEqual(genome.window("2"), { left: 1_050_000, right: 1_550_000 });
  assert.equal(genome.window("scaffold_7:1-100"), undefined);
});

test("windows stay on the genome, however far one pans or zooms", () => {
  let w = { left: 100, right: 1_100 };
  for (let i = 0; i < 50; i++) w = genome.pan(w, -0.4);
  assert.deepEqual(w, { left: 0, right: 1_000 });
  for (let i = 0; i < 50; i++) w = genome.zoom(w, 3, 17);
  assert.equal(wide(w), 20);
  assert.ok(w.left <= 17 && w.right >= 17);
  for (let i = 0; i < 50; i++) w = genome.zoom(w, 0.4, 17);
  assert.deepEqual(w, genome.whole());
});

test("the place under the pointer stays there while one zooms", () => {
  const w = { left: 200_000, right: 400_000 };
  for (const at of [210_000, 300_000, 399_000]) {
    const next = genome.zoom(w, 2.5, at);
    assert.ok(Math.abs((at - next.left) / wide(next) - (at - w.left) / wide(w)) < 1e-4);
  }
});

test("ticks are round positions of the contig, or the contigs' names", () => {
  assert.deepEqual(ticks(genome, { left: 1_050_000, right: 1_150_000 }, 5).map((t) => t.text),
    ["0.02 Mb", "0.04 Mb", "0.06 Mb", "0.08 Mb", "0.10 Mb"]);
  assert.deepEqual(ticks(genome, genome.whole(), 6).map((t) => t.text), ["1", "2", "X"]);
  assert.deepEqual(ticks(genome, { left: 100, right: 112 }, 6).map((t) => t.text), ["102", "104", "106", "108", "110", "112"]);
  assert.deepEqual([0.4, 3, 12, 170_000].map(roundStep), [1, 5, 20, 200_000]);
  assert.equal(baseText(165_523_140, 10), "165,523,140");
  assert.equal(placeText(genome, { left: 1_060_000, right: 1_061_000 }), "2:10,001–11,000");
});

test("a window is put together from at most two tiles of its level", () => {
  for (let i = 0; i < 2_000; i++) {
    const left = Math.floor(Math.random() * 1_700_000);
    const w = genome.clamp({ left, right: left + 20 + Math.floor(Math.random() ** 3 * 1_800_000) });
    const tiles = tilesOf(w);
    assert.ok(tiles.length <= 2, JSON.stringify(w));
    assert.ok(windowOf(tiles[0]).left <= w.left && windowOf(tiles.at(-1)).right >= w.right);
    assert.equal(new Set(tiles.map((t) => t.level)).size, 1);
    assert.ok(levelOf(w) >= 5);
    const own = new Set(tiles.map(key));
    assert.ok(neighbours(genome, w).every((t) => !own.has(key(t)) && windowOf(t).left < genome.end && t.index >= 0));
  }
  assert.equal(regionOf(genome, { level: 20, index: 1 }), "1:1000000-X:200000");
});

const tick = () => new Promise((done) => setTimeout(done));

test("tiles are fetched once, kept, and given up when no longer wanted", async () => {
  const asked = [];
  const waiting = new Map();
  const tiles = new Tiles((tile, signal) => new Promise((done, fail) => {
    asked.push(key(tile));
    waiting.set(key(tile), () => done(key(tile)));
    signal.addEventListener("abort", () => fail(new Error("given up")));
  }), () => {});
  const w = { left: 0, right: 1_000 };
  tiles.want(w, []);
  assert.deepEqual(asked, ["10/0"]);
  tiles.want({ left: 500_000, right: 501_000 }, []);
  await tick();
  assert.deepEqual(asked, ["10/0", "10/488", "10/489"]);
  waiting.get("10/0")(); // arrives too late
  waiting.get("10/488")();
  waiting.get("10/489")();
  await tick();
  assert.equal(tiles.complete(w), false);
  assert.ok(tiles.complete({ left: 500_000, right: 501_000 }));
  tiles.want({ left: 500_000, right: 501_000 }, []);
  assert.equal(asked.length, 3);
  assert.deepEqual(tiles.best({ left: 500_010, right: 500_030 }).map((p) => [p.value, p.exact]), [["10/488", false]]);
});

test("a tile that cannot be fetched is said to have failed, and asked for again", async () => {
  let works = false;
  const tiles = new Tiles(async () => {
    if (!works) throw new Error("status 500");
    return 7;
  }, () => {});
  tiles.want({ left: 0, right: 30 }, []);
  await tick();
  assert.ok(tiles.failed);
  works = true;
  tiles.want({ left: 0, right: 30 }, []);
  await tick();
  assert.ok(!tiles.failed && tiles.complete({ left: 0, right: 30 }));
});

const answer = {
  data: {
    chromosome: ["1", "1", "2", null, "scaffold"], base_pair_location: [10, 500, 7, null, 3], effect_allele: ["G", "T", "A", null, "A"],
    other_allele: ["A", "C", "G", null, "C"], rsid: ["rs1", null, "rs3", null, null], feature_name: [null, null, null, "cg1", null],
    neg_log_10_p_value: [3, 8.5, 1, 2, 2], stands_for_bin: [false, false, true, false, false], r2: [0.9, null, 0.1, null, null],
  },
};

test("points are read with their place, name and r², and found inside a window", () => {
  const points = readPoints(genome, answer);
  assert.deepEqual([...points.place], [9, 499, 1_050_006]);
  assert.deepEqual(points.name, ["rs1", "1-500-C-T", "rs3"]);
  assert.deepEqual(points.id, ["1-10-A-G", "1-500-C-T", "2-7-G-A"]);
  assert.deepEqual([...points.r2].map(ldClass), [4, -1, 0]);
  const spots = inside([{ value: points, window: genome.whole() }], { left: 5, right: 600 });
  assert.deepEqual(spots.map((s) => s.at), [0, 1]);
  assert.equal(strongest(spots).at, 1);
  assert.deepEqual(stops(spots, { left: 0, right: 600 }, 5).map((s) => s.at), [0, 1]);
  assert.deepEqual(stops(spots, { left: 0, right: 600_000 }, 5).map((s) => s.at), [1]); // too near to tell apart
});

test("p and heights are those of the server", () => {
  assert.deepEqual([411.5, 1.3, 7.9999].map(pText), ["3.2×10⁻⁴¹²", "0.050", "1.0×10⁻⁸"]);
  assert.deepEqual([0.1, 0.2, 0.4, 0.6, 0.8, NaN].map(ldClass), [0, 1, 2, 3, 4, -1]);
  const flat = Heights.of(10, 7.3);
  assert.ok(!flat.folded && Math.abs(flat.share(5.5) - 0.5) < 1e-9);
  const folded = Heights.of(200, 7.3);
  assert.ok(folded.folded && Math.abs(folded.share(20) - 0.6) < 1e-9 && Math.abs(folded.share(220) - 1) < 1e-9);
  assert.deepEqual(flat.ticks(), [0, 5, 10]);
});

test("genes stand in rows without overlap, those that do not fit are left out", () => {
  const gene = (start, end, symbol) => ({ start, end, exons: [], symbol, strand: "+", href: "" });
  const genes = Array.from({ length: 60 }, (_, i) => gene(i * 300, i * 300 + 2_000, `GENE${i}`));
  const placed = placeGenes(genes, { left: 0, right: 20_000 }, 800, 4, (text) => text.length * 7);
  assert.ok(placed.length < 60 && Math.max(...placed.map((p) => p.row)) === 3);
  for (const a of placed) {
    for (const b of placed) {
      if (a === b || a.row !== b.row) continue;
      const half = (p) => label(p.gene).length * 3.5;
      assert.ok(a.high < b.low || b.high < a.low);
      assert.ok(Math.abs(a.middle - b.middle) >= half(a) + half(b) - 1e-6);
    }
  }
  const tile = { genes: genes.slice(0, 3), too_wide: false, recombination: { x: [], y: [] }, tracks: [] };
  assert.equal(united([tile, tile]).length, 3);
});

test("keys move, zoom and go to the ends; keys with a modifier are the browser's", () => {
  const w = { left: 1_060_000, right: 1_070_000 };
  assert.deepEqual(moveOf({ key: "ArrowRight" }, genome, w), { left: 1_062_000, right: 1_072_000 });
  assert.equal(wide(moveOf({ key: "+" }, genome, w)), 5_000);
  assert.deepEqual(moveOf({ key: "Home" }, genome, w), { left: 1_050_000, right: 1_060_000 });
  assert.deepEqual(moveOf({ key: "End" }, genome, w), { left: 1_540_000, right: 1_550_000 });
  assert.deepEqual(moveOf({ key: "0" }, genome, w), genome.whole());
  assert.equal(moveOf({ key: "+", ctrlKey: true }, genome, w), undefined);
  assert.equal(moveOf({ key: "Tab" }, genome, w), undefined);
});

test("an address keeps the state", () => {
  const scene = { studies: [{ name: "A" }, { name: "B/t" }], panel: "", population: "EAS" };
  const query = queryOf(scene, { region: "2:5-50", ld: "rs1" });
  assert.equal(query, "region=2%3A5-50&studies=A%2CB%2Ft&ld=rs1&population=EAS");
  assert.deepEqual(stateOf(`?${query}`), { region: "2:5-50", ld: "rs1" });
  assert.equal(fill("LD with {variant} {other}", { variant: "rs1" }), "LD with rs1 {other}");
});
