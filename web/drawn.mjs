// How long pages take to be drawn in Chromium: from the start of the navigation until the first figure is alive.
//
//   node drawn.mjs < job.json     {"urls": [address]};  answer: {"drawn_ms": [number]}
//
// Each page is opened in a context of its own, without cache, by a browser that has opened one page before.
// Chromium is NEXOME_CHROMIUM or /usr/bin/chromium. `nexome bench explorer --browser web/drawn.mjs` runs this.

import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { urls } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({
  executablePath: process.env.NEXOME_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

/** Milliseconds until the first figure says that it is alive, and one frame more, so that it is on the screen. */
async function drawn(url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.drawnAt = new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector("[data-figure][data-live]")) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
      }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-live"] });
    });
  });
  await page.goto(url, { waitUntil: "commit" });
  const took = await page.evaluate(() => window.drawnAt);
  await context.close();
  return took;
}

await drawn(urls[0]);
const times = [];
for (const url of urls) times.push(await drawn(url));
await browser.close();
console.log(JSON.stringify({ drawn_ms: times }));
