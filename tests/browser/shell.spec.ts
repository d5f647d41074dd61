// What is there before the app is: a shell that is painted at once, under a strict policy, in the chosen colours.

import { expect, open, test } from "./paydown";

test("the shell is painted before the app has come, and the policy allows nothing inline", async ({ page }) => {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  const answer = await page.goto("/", { waitUntil: "commit" });
  await expect(page.getByText("Loading the dashboard…")).toBeVisible();
  const painted = await page.evaluate(() =>
    new Promise<string[]>((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries().map((entry) => entry.name)))
        .observe({ type: "paint", buffered: true });
    }),
  );
  expect(painted).toContain("first-contentful-paint");
  await expect(page.getByRole("navigation")).toHaveCount(0);
  letGo();
  await expect(page.getByRole("heading", { name: "Where the money is" })).toBeVisible();
  await expect(page.getByText("Loading the dashboard…")).toHaveCount(0);

  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).not.toContain("unsafe-inline");
  expect(policy).not.toMatch(/'unsafe-eval'|https?:|\*/);
});

test("an app that cannot be loaded says so", async ({ page, complaints }) => {
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto("/");
  await expect(page.getByRole("alert")).toContainText("could not be loaded");
  expect(complaints.length).toBeGreaterThan(0);
  complaints.length = 0;
});

test("light, dark or as the system says: the choice is kept", async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const theme = page.getByLabel("Theme");
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "/simulator");
  await expect(theme).toHaveValue("system");
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  expect(dark).not.toBe(light);

  for (const [choice, expected] of [["light", light], ["dark", dark]] as const) {
    // The system says the other one.
    await page.emulateMedia({ colorScheme: choice === "light" ? "dark" : "light" });
    await theme.selectOption(choice);
    expect(await ground(), choice).toBe(expected);
    // It is there before the app is: nothing flashes.
    await page.reload({ waitUntil: "domcontentloaded" });
    expect(await ground(), `${choice}, kept`).toBe(expected);
    await expect(theme).toHaveValue(choice);
  }

  await theme.selectOption("system");
  await page.reload();
  await expect(theme).toHaveValue("system");
  await page.emulateMedia({ colorScheme: "light" });
  expect(await ground()).toBe(light);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await ground()).toBe(dark);
});
