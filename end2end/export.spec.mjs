// A log as a file, from the page.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { bartholomew, growth, ingrid, kim, own, ruth, tenant, test } from './demo.mjs';
import { expect } from './fixtures.mjs';
import { expectAsked, ids, range, rows, searchFor, signIn, signInLive } from './steps.mjs';

const object = '/acme/growth/objects/integration/int_rpa_invoice_7a/audit';

/** A promise that is kept elsewhere. */
const later = () => {
  const it = {};
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }));
  return it;
};

const menu = (page) => page.locator('.export-menu');
const told = (page) => page.locator('#exports');

/** Chooses a format from the menu. */
async function choose(page, format) {
  await menu(page).locator('summary').click();
  await menu(page)
    .getByRole('button', { name: new RegExp(`^${format} `) })
    .click();
}

/** Exports what is on screen: the file, and what it is called. */
async function exported(page, format) {
  const downloading = page.waitForEvent('download');
  await choose(page, format);
  const download = await downloading;
  const file = await readFile(await download.path());
  return { name: download.suggestedFilename(), file, text: file.toString('utf8') };
}

const events = (text) => text.trimEnd().split('\n').map((line) => JSON.parse(line));

/** What the page shows is the beginning of what the file holds. */
async function expectSame(page, text) {
  const shown = await ids(page);
  const taken = events(text).map((event) => event.id);
  expect(taken.slice(0, shown.length)).toEqual(shown);
  return taken;
}

test('what is on screen is what is exported, with its filters and in its order', async ({ page }) => {
  await signInLive(page, ruth, growth);
  await range(page, '90 days').click();
  await expectAsked(page, { range: '90d' });
  await searchFor(page, 'salesforce');
  await expectAsked(page, { range: '90d', q: 'salesforce' });
  await page.getByRole('columnheader', { name: 'Actor' }).getByRole('link').click();
  await expectAsked(page, { range: '90d', q: 'salesforce', sort: 'actor' });
  await expect(rows(page).filter({ hasNotText: /salesforce/i })).toHaveCount(0);
  const { name, file, text } = await exported(page, 'NDJSON');
  expect(name).toMatch(/^acme-growth-audit-\d{8}T\d{6}Z\.ndjson$/);
  const taken = await expectSame(page, text);
  // The page did not go anywhere, and tells how it ended.
  await expectAsked(page, { range: '90d', q: 'salesforce', sort: 'actor' });
  await expect(told(page)).toContainText(`NDJSON: all ${taken.length} entries exported`);
  await expect(told(page)).toContainText(createHash('sha256').update(file).digest('hex'));
  await expect(page.locator('#said')).toHaveText(/^NDJSON: all/);
  await told(page).getByRole('button', { name: 'Close' }).click();
  await expect(told(page)).toHaveCount(0);
});

test('with proof each row says what proves it, and the last line what it is proved by', async ({ page }) => {
  await signInLive(page, ruth, `${growth}?category=secrets`);
  const { name, text } = await exported(page, 'With proof');
  expect(name).toMatch(/\.ndjson$/);
  const lines = events(text);
  const last = lines.pop();
  expect(lines.map((event) => event.id).slice(0, 5)).toEqual((await ids(page)).slice(0, 5));
  for (const event of lines) expect(event.proof.header.id).toBe(event.id);
  expect(JSON.stringify(last)).toContain('daybook/');
  await expect(told(page)).toContainText(`NDJSON: all ${lines.length} entries exported`);
});

test('a later page exports from the first, and other formats hold the same', async ({ page }) => {
  await signInLive(page, ingrid, `${growth}?category=secrets&limit=5`);
  const first = await ids(page);
  await page.locator('a[rel="next"]').click();
  await expect(rows(page).first()).not.toHaveAttribute('data-event-id', first[0]);
  const lines = await exported(page, 'NDJSON');
  expect(events(lines.text).slice(0, 5).map((event) => event.id)).toEqual(first);
  const array = await exported(page, 'JSON');
  expect(JSON.parse(array.text)).toEqual(events(lines.text));
  const sheet = await exported(page, 'CSV');
  expect(sheet.text).toMatch(/^id,seq,idempotency_key,/);
  await expect(told(page).locator('[data-export]')).toHaveCount(3);
  // They stay while the page goes on.
  await range(page, '30 days').click();
  await expectAsked(page, { category: 'secrets', limit: '5', range: '30d' });
  await expect(told(page).locator('[data-export]')).toHaveCount(3);
});

test('an object and a whole tenant are exported too', async ({ page }) => {
  await signInLive(page, ingrid, object);
  const { name, text } = await exported(page, 'NDJSON');
  expect(name).toContain('integration-int_rpa_invoice_7a');
  await expectSame(page, text);
  await page.context().clearCookies();
  await signInLive(page, bartholomew, `${tenant}?category=members`);
  const whole = await exported(page, 'NDJSON');
  expect(whole.name).toMatch(/^acme-audit-/);
  await expectSame(page, whole.text);
});

test('a member exports nothing', async ({ page }) => {
  await signInLive(page, kim, object);
  await expect(rows(page).first()).toBeVisible();
  await expect(menu(page)).toHaveCount(0);
  await page.goto(own);
  await expect(rows(page).first()).toBeVisible();
  await expect(menu(page)).toHaveCount(0);
});

test('the log tells who took which data', async ({ page }) => {
  await signInLive(page, ingrid, `${growth}?category=secrets`);
  await exported(page, 'CSV');
  await expect(told(page)).toContainText('all');
  await page.goto(`${growth}?action=AUDIT_EXPORT_FINISHED&actor_id=&sort=time`);
  await expect(rows(page, 'Ingrid Solheim', 'AUDIT_EXPORT_FINISHED').first()).toBeVisible();
});

/**
 * Begins the export that the page asks for as the browser would, and takes nothing of it: it stands
 * still as soon as the buffers on the way are full.
 */
async function stall(page) {
  const begun = later();
  await page.route('**/audit/export*', async (route) => {
    const asked = route.request();
    const sent = request(asked.url(), {
      method: 'POST',
      headers: { ...(await asked.allHeaders()), 'accept-encoding': 'identity' },
    });
    sent.on('response', (answer) => {
      answer.pause();
      answer.on('error', () => {});
      begun.resolve(answer);
    });
    sent.on('error', begun.reject);
    sent.end(asked.postDataBuffer());
    await begun.promise;
    await route.fulfill({ status: 204 });
  });
  return begun.promise;
}

/** More than fits into the buffers between the server and whoever takes nothing. */
async function recordMuch(daybook, workspace) {
  const token = await daybook.createToken({ workspace });
  const event = {
    action: 'REPORT_EXPORTED',
    actor: { kind: 'user', id: 'usr_1' },
    target: { kind: 'report', id: 'r1' },
    metadata: { text: 'x'.repeat(50_000) },
  };
  for (let sent = 0; sent < 400; sent += 20) await daybook.record(token, Array(20).fill(event));
}

test('an export tells how far it is, and can be cancelled', async ({ page, daybook, place }) => {
  await recordMuch(daybook, place.workspace);
  await signInLive(page, place.owner, place.audit);
  const stalled = stall(page);
  await choose(page, 'NDJSON');
  const answer = await stalled;
  await expect(told(page)).toContainText(/NDJSON: [\d,]+ of [\d,]+ entries so far/);
  await expect(told(page).getByRole('progressbar')).toBeVisible();
  await told(page).getByRole('button', { name: 'Cancel' }).click();
  await expect(told(page)).toContainText('Cancelled after');
  await expect(told(page)).toContainText('The file is not complete.');
  const closed = later();
  answer.on('close', closed.resolve);
  answer.resume();
  await closed.promise;
  expect(answer.complete).toBe(false);
});

test.describe('without script', () => {
  test.use({
    javaScriptEnabled: false,
    expectedComplaints: /\.wasm was preloaded using link preload but not used/,
  });

  test('the menu is a form, and the browser saves the file', async ({ page }) => {
    await signIn(page, ingrid, `${growth}?category=secrets&sort=action`);
    const { name, text } = await exported(page, 'NDJSON');
    expect(name).toMatch(/\.ndjson$/);
    await expectSame(page, text);
    await expect(page).toHaveURL(`${growth}?category=secrets&sort=action`);
  });
});
