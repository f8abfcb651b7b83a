// Visits pages in Chromium as a reader would and says what happened, as JSON on stdout.
//
//   node visit.mjs < job.json      {"chromium": path, "modules": folder of package.json, "visits": [visit]}
//   visit: {"name", "url", "width", "height", "dark"?, "scripts"?, "whole"?, "keys"?: [key], "tabs"?: true, "fill"?: {selector: text}, "check"?: selector, "click"?: selector,
//          "cookie"?: token, "picture"?: file}
//   answer, one a visit: {"name", "status", "errors", "foreign", "violations", "live", "tip", "scroll", "landed", "scripts": bytes as
//          sent, "unreached": controls that Tab does not come to}
//   Requests to any other host are refused and told of as foreign.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(`${job.modules}/package.json`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--font-render-hinting=none"],
});

async function visit(wanted) {
  const context = await browser.newContext({
    viewport: { width: wanted.width, height: wanted.height },
    colorScheme: wanted.dark ? "dark" : "light",
    javaScriptEnabled: wanted.scripts !== false,
    reducedMotion: "reduce",
  });
  const { origin } = new URL(wanted.url);
  if (wanted.cookie) await context.addCookies([{ name: "nexome_token", value: wanted.cookie, url: origin }]);
  await context.route((url) => /^https?:$/.test(url.protocol) && url.origin !== origin, (route) => route.abort());
  const page = await context.newPage();
  const scriptsSent = [];
  page.on("requestfinished", (request) => {
    if (request.resourceType() === "script") scriptsSent.push(request.sizes().then((sizes) => sizes.responseBodySize));
  });
  const errors = [];
  const foreign = [];
  page.on("console", (message) => {
    // A page that answers 404 on purpose is not an error of its scripts.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && url.origin !== origin) foreign.push(request.url());
  });
  let response = await page.goto(wanted.url, { waitUntil: "load" });
  for (const [where, text] of Object.entries(wanted.fill ?? {})) await page.fill(where, text);
  if (wanted.check) await page.check(wanted.check);
  if (wanted.click) [response] = await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(wanted.click)]);
  const scripts = wanted.scripts !== false;
  const built = scripts && (await page.locator("script[type=module]").count()) > 0;
  const figures = built ? await page.locator("[data-figure]").count() : 0;
  for (let i = 0; i < figures; i++) {
    await page.locator("[data-figure]").nth(i).scrollIntoViewIfNeeded();
    await page.locator("[data-figure]").nth(i).and(page.locator("[data-live]")).waitFor({ timeout: 60_000 })
      .catch(() => errors.push(`figure ${i} did not come alive`));
  }
  if (built && (await page.locator("[data-explore]").count())) { // the explorer's points come after it is alive
    await page.locator("[data-explore]").and(page.locator("[data-live]")).or(page.locator("[data-explore] [data-live]")).first()
      .waitFor({ timeout: 60_000 }).catch(() => errors.push("the explorer did not come alive"));
    await page.waitForLoadState("networkidle");
  }
  let tip = "";
  if (wanted.keys) {
    await page.locator(".chart").first().focus();
    for (const key of wanted.keys) await page.keyboard.press(key);
    tip = (await page.locator(".said").first().textContent()) ?? "";
    await page.waitForLoadState("load");
  }
  const unreached = wanted.tabs ? await tabThrough(page) : [];
  const landed = page.url();
  if (scripts) await page.evaluate("scrollTo(0, 0)");
  if (wanted.picture) await page.screenshot({ path: wanted.picture, fullPage: Boolean(wanted.whole) });
  // Without scripts nothing can be asked of a page; its picture is all.
  const report = scripts ? await page.evaluate(`${axe}; axe.run()`) : null;
  const violations = (report?.violations ?? []).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`);
  const scroll = scripts ? await page.evaluate("document.documentElement.scrollWidth - innerWidth") : 0;
  const sent = await Promise.all(scriptsSent);
  await context.close();
  return { name: wanted.name, status: response?.status() ?? 0, errors: errors.slice(0, 5), foreign, violations, checked: report !== null,
    live: figures, tip, scroll, landed, unreached, scripts: sent.reduce((sum, size) => sum + size, 0) };
}

/** Presses Tab from the top until the focus comes round; what a hand can use and Tab did not come to. */
async function tabThrough(page) {
  const most = await page.evaluate(() => {
    const usable = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";
    const shown = [...document.querySelectorAll(usable)].filter((e) => e.checkVisibility({ visibilityProperty: true })
      && !e.disabled && e.tabIndex >= 0 && !(e.type === "radio" && !e.checked));
    for (const element of shown) element.dataset.control = "yes";
    document.activeElement?.blur();
    scrollTo(0, 0);
    return shown.length + 60; // charts have stops of their own
  });
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const again = await page.evaluate(() => {
      const here = document.activeElement;
      if (!here || here === document.body) return false;
      const seen = here.dataset.control === "reached" && !here.shadowRoot; // igv.js has many controls in one
      here.dataset.control = "reached";
      return seen;
    });
    if (again) break;
  }
  return page.evaluate(() => [...document.querySelectorAll("[data-control=yes]")].slice(0, 5).map((e) => e.outerHTML.slice(0, 160)));
}

const answers = [];
for (const wanted of job.visits) answers.push(await visit(wanted));
await browser.close();
console.log(JSON.stringify(answers));
