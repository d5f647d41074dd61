// The webhooks: an endpoint is made, its secret is shown once, it is paused, resumed and removed; what was sent is in its log.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { randomUUID } from "node:crypto";
import { expect, open, test } from "./paydown";

test("an endpoint is told, its log says so, and it is paused and removed", async ({ page }) => {
  const came: string[] = [];
  const server = createServer((request, response) => {
    came.push(String(request.headers["webhook-id"]));
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const label = `hooks ${randomUUID().slice(0, 8)}`;
  try {
    await open(page, "/webhooks");
    await page.getByLabel("Label of a new endpoint").fill(label);
    await page.getByLabel("Its address").fill(address);
    await page.getByLabel("run.completed").check();
    await page.getByRole("button", { name: "Make an endpoint" }).click();
    const told = page.getByRole("status").filter({ hasText: "is shown only now" });
    await expect(told.locator("code")).toHaveText(/^whsec_\S{44}$/);
    await page.getByRole("button", { name: "It is kept: hide it" }).click();
    const row = page.getByRole("row").filter({ hasText: label });
    await expect(row).toContainText("run.completed");

    const endpoints = await (await page.request.get("/v1/webhook_endpoints")).json();
    const { id } = endpoints.data.find((endpoint: { label: string }) => endpoint.label === label);
    await page.request.post(`/v1/webhook_endpoints/${id}/rewind`, { data: {} });
    await expect.poll(() => came.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await row.getByRole("link", { name: label }).click();
    const sent = page.getByRole("row").filter({ hasText: "Taken, HTTP 204" }).first();
    await expect(sent).toBeVisible();
    const before = came.length;
    await sent.getByRole("button", { name: "Send run.completed again" }).click();
    await expect(page.getByText("run.completed was taken.")).toBeVisible();
    expect(came.length).toBe(before + 1);

    await page.getByRole("link", { name: "All endpoints" }).click();
    await row.getByRole("button", { name: `Pause ${label}` }).click();
    await expect(row).toContainText("Paused by");
    await row.getByRole("button", { name: `Resume ${label}` }).click();
    await expect(row).toContainText("Active");
    await row.getByRole("button", { name: `Remove ${label}…` }).click();
    await page.getByRole("dialog", { name: "Remove this endpoint" }).getByRole("button", { name: "Remove" }).click();
    await expect(row).toContainText("Removed by");
  } finally {
    server.close();
  }
});
