// Uses the explorer in Chromium as a reader would, and says what happened, as JSON on stdout.
//
//   node explore.mjs < job.json    {"chromium", "modules", "url": address of an explorer page, "picture"?: folder}
//   answer: one object of observations, see the steps below

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(0, "utf8"));
const { chromium } = createRequire(`${job.modules}/package.json`)("playwright-core");
const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--font-render-hinting=none"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", hasTouch: true });
const page = await context.newPage();
const { origin } = new URL(job.url);
const errors = [];
const foreign = [];
const asked = [];
page.on("console", (m) => { if (m.type() === "error") errors.push(m.text()); });
page.on("pageerror", (error) => errors.push(String(error)));
page.on("request", (request) => {
  const url = new URL(request.url());
  if (/^https?:$/.test(url.protocol) && url.origin !== origin) foreign.push(request.url());
  asked.push(url.pathname);
});

const region = () => page.locator("[data-explore]").getAttribute("data-region");
const inAddress = () => new URL(page.url()).searchParams.get("region");
let pending = 0;
page.on("request", () => { pending += 1; });
for (const end of ["requestfinished", "requestfailed"]) page.on(end, () => { pending -= 1; });
/** Until nothing was asked, and nothing on its way, for longer than SETTLE_MS of explore.ts by the page's own clock. */
const rest = async () => {
  for (let quiet = 0; quiet < 700; quiet += 50) {
    const before = asked.length;
    await page.evaluate("new Promise((done) => setTimeout(done, 50))");
    if (pending > 0 || asked.length !== before) quiet = 0;
  }
};
const heading = () => page.locator("h1").textContent();
const bounds = (text) => /:(\d+)-(\d+)$/.exec(text).slice(1).map(Number);

const stage = page.locator(".stage");
const tabToPoint = async () => { // the study's own links come first
  await stage.focus();
  for (let i = 0; i < 4; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate("document.activeElement.classList.contains('stop')")) return;
  }
};

await page.goto(job.url, { waitUntil: "load" });
await page.locator("[data-live]").waitFor({ timeout: 60_000 });
await rest();
const seen = { start: await region(), firstHeading: await heading() };

const plot = page.locator(".region .plot canvas").first();
const box = await plot.boundingBox();
const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };

await stage.focus();
await page.keyboard.press("ArrowRight");
await rest();
seen.right = await region();
seen.rightAddress = await inAddress();
seen.rightHeading = await heading();
await page.keyboard.press("+");
await rest();
seen.zoomed = await region();
await page.goBack();
await rest();
seen.back = await region();
seen.backHeading = await heading();
await page.goForward();
await rest();
seen.forward = await region();

await page.mouse.move(middle.x, middle.y);
await page.mouse.down();
await page.mouse.move(middle.x - 120, middle.y, { steps: 6 });
await page.mouse.up();
await rest();
seen.dragged = await region();
const scrolled = await page.evaluate("scrollY");
await page.mouse.wheel(0, -400);
await rest();
seen.wheeled = await region();
seen.wheelScrolled = (await page.evaluate("scrollY")) - scrolled;
await page.mouse.dblclick(middle.x, middle.y);
await rest();
seen.doubled = await region();
await stage.focus();
await page.keyboard.press("Home");
await rest();
seen.home = await region();
await page.keyboard.press("End");
await rest();
seen.end = await region();

await page.locator(".steps .step-genome").click();
await rest();
seen.genome = await region();
seen.genomeAddress = await inAddress();
const little = await page.locator(".overview canvas").boundingBox();
await page.mouse.click(little.x + 60, little.y + little.height / 2);
await rest();
seen.jumped = await region();

await page.goto(job.url, { waitUntil: "load" });
await page.locator("[data-live]").waitFor({ timeout: 60_000 });
await rest();
await tabToPoint();
seen.stop = await page.evaluate("document.activeElement.getAttribute('aria-label')");
seen.outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
seen.tip = await page.locator(".explorer .tip").textContent();
const dot = await page.locator(".stop").first().boundingBox();
await page.mouse.click(dot.x + dot.width / 2, dot.y + dot.height / 2);
seen.pinned = await page.locator(".explorer .tip.pinned a").getAttribute("href");
await tabToPoint();
await page.keyboard.press("Enter");
await page.waitForURL(/variants/);
seen.opened = page.url();

await page.goto(job.url, { waitUntil: "load" });
await page.locator("[data-live]").waitFor({ timeout: 60_000 });
await rest();
const before = asked.length;
for (let i = 0; i < 12; i++) await page.mouse.wheel(0, -60); // quick hands
await rest();
seen.requestsOfAZoom = asked.length - before;
seen.picturedBytes = await plot.evaluate((canvas) => canvas.toDataURL().length);
seen.sameByLink = await (async () => {
  const there = await region();
  const other = await context.newPage();
  await other.goto(page.url(), { waitUntil: "load" });
  await other.locator("[data-live]").waitFor({ timeout: 60_000 });
  const again = await other.locator("[data-explore]").getAttribute("data-region");
  await other.close();
  return [there, again];
})();
seen.widths = Object.fromEntries(Object.entries(seen).filter(([, v]) => typeof v === "string" && /:\d+-\d+$/.test(v))
  .map(([name, text]) => [name, bounds(text)]));
await browser.close();
console.log(JSON.stringify({ ...seen, errors: errors.slice(0, 5), foreign }));
